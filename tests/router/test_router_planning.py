"""Plans come from routes, models, constraints and how targets have done; every exclusion has a name."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import plan_pb2, router_pb2
from llm_mesh_router.domain.accepted import AcceptedProducts
from llm_mesh_router.domain.decisions import Decision, Decisions
from llm_mesh_router.domain.eligibility import EligibilityRequest
from llm_mesh_router.domain.models import Models
from llm_mesh_router.domain.ranking import Ranking
from llm_mesh_router.domain.resolution import Resolution
from llm_mesh_router.domain.router import Router
from llm_mesh_router.domain.routes import RouteBook
from llm_mesh_router.domain.shortlists import Shortlist
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.seals import Seals

NOW = datetime(2026, 11, 20, tzinfo=UTC)
SEALS = Seals(b"a secret of the tests")


class Watch:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


def model(name: str, **fields: Any) -> registry_pb2.Model:
    defaults: dict[str, Any] = {
        "alias": name.rsplit("/", 1)[-1],
        "adapter": "openai",
        "endpoint": "openai",
        "upstream_model": "up",
        "capabilities": ["generate", "streaming", "tools"],
        "free": True,
    }
    return registry_pb2.Model(name=name, **(defaults | fields))


class Bench:
    """A router over given models and routes."""

    def __init__(
        self,
        *models: registry_pb2.Model,
        routes: list[router_pb2.Route] | None = None,
        accepted: list[registry_pb2.AcceptedProduct] | None = None,
    ) -> None:
        self.models, self.book, self.ranking, self.watch = Models(), RouteBook(), Ranking(), Watch()
        self.accepted = AcceptedProducts()
        self.models.replace(models)
        self.book.replace(routes or [])
        self.accepted.replace(accepted or [])
        resolution = Resolution(self.models, self.book, self.accepted)
        self.decisions = Decisions(10_000)
        self.router = Router(resolution, self.ranking, self.decisions, SEALS, self.watch)

    def decision(self, decision_id: str, domain: str = "domains/claims") -> router_pb2.ExplainDecisionResponse:
        found = self.decisions.find(domain, decision_id)
        assert found is not None
        return found.explanation

    def plan(
        self, alias: str, *, profile: dict[str, Any] | None = None, domain: str = "domains/claims", **constraints: Any
    ) -> plan_pb2.Plan:
        sealed = admission(alias, domain=domain, **constraints)
        return planned(self.router, sealed, router_pb2.RequestProfile(**(profile or {})))


def planned(router: Router, sealed: resources_pb2.Sealed, profile: router_pb2.RequestProfile) -> plan_pb2.Plan:
    plan = plan_pb2.Plan()
    assert router.plan(sealed, profile, plan) == plan.decision_id
    return plan


def admission(
    alias: str,
    *,
    domain: str = "domains/claims",
    operation: str = "generate",
    lifetime: float = 60,
    audience: str = "router",
    **constraints: Any,
) -> resources_pb2.Sealed:
    message = admission_pb2.Admission(
        caller=admission_pb2.Caller(domain=domain),
        constraints=admission_pb2.Constraints(**({"max_output_tokens": 1000} | constraints)),
        alias=alias,
        operation=operation,
    )
    message.expire_time.FromDatetime(NOW + timedelta(seconds=lifetime))
    return SEALS.sealed(message.DESCRIPTOR.full_name, message.SerializeToString(), audience)


def attempts(plan: plan_pb2.Plan) -> list[plan_pb2.Attempt]:
    if plan.root.WhichOneof("kind") == "attempt":
        return [plan.root.attempt]
    return [child.attempt for child in plan.root.failover.children]


def route(name: str, *targets: tuple[str, int, int], **fields: Any) -> router_pb2.Route:
    wanted = [router_pb2.RouteTarget(model=target, priority=priority, weight=weight) for target, priority, weight in targets]
    return router_pb2.Route(name=name, **({"alias": name.rsplit("/", 1)[-1]} | fields), targets=wanted)


A, B, C = (f"domains/shared/models/{letter}" for letter in "abc")


def test_an_alias_without_a_route_goes_to_its_model_alone() -> None:
    plan = Bench(model(A), model(B)).plan("a")
    assert [attempt.model for attempt in attempts(plan)] == [A]
    assert plan.root.WhichOneof("kind") == "attempt"


def test_a_route_tries_its_targets_by_priority() -> None:
    bench = Bench(model(A), model(B), model(C), routes=[route("domains/claims/routes/main", (B, 2, 1), (C, 1, 1), (A, 3, 1))])
    assert [attempt.model for attempt in attempts(bench.plan("main"))] == [C, B, A]


def test_a_plan_has_no_more_attempts_than_its_route_allows() -> None:
    bench = Bench(model(A), model(B), routes=[route("domains/claims/routes/main", (A, 0, 1), (B, 1, 1), max_attempts=1)])
    plan = bench.plan("main")
    assert [attempt.model for attempt in attempts(plan)] == [A]
    left = bench.decision(plan.decision_id).candidates[1]
    assert (left.model, left.excluded_by) == (B, "attempts")


def test_targets_of_one_priority_share_by_weight() -> None:
    bench = Bench(model(A), model(B), routes=[route("domains/claims/routes/main", (A, 0, 9), (B, 0, 1))])
    first = Counter(attempts(bench.plan("main"))[0].model for _ in range(2_000))
    assert 1_700 < first[A] < 1_900


def test_a_domain_sees_its_own_route_before_a_shared_one() -> None:
    routes = [route("domains/shared/routes/r", (A, 0, 1), alias="x"), route("domains/claims/routes/r", (B, 0, 1), alias="x")]
    bench = Bench(model(A), model(B), routes=routes)
    assert attempts(bench.plan("x"))[0].model == B
    assert attempts(bench.plan("x", domain="domains/other"))[0].model == A


def test_a_domain_sees_its_own_model_before_a_shared_route() -> None:
    own = model("domains/claims/models/x")
    bench = Bench(model(A), own, routes=[route("domains/shared/routes/x", (A, 0, 1))])
    assert attempts(bench.plan("x"))[0].model == own.name


@pytest.mark.parametrize("shared_with", [[], ["*"], ["domains/claims"]])
def test_another_domains_model_looks_like_one_that_does_not_exist(shared_with: list[str]) -> None:
    bench = Bench(model("domains/secret/models/m", shared_with=shared_with))
    for alias in ("m", "nothing"):
        with pytest.raises(MeshError) as failure:
            bench.plan(alias)
        assert (failure.value.reason_name, failure.value.field) == ("MODEL_NOT_FOUND", "input.model")
        kept = bench.decisions.find("domains/claims", failure.value.metadata["decision_id"])
        assert kept is not None
        assert (kept.explanation.alias, list(kept.explanation.candidates), kept.explanation.HasField("plan")) == (alias, [], False)


def test_a_route_to_another_domains_model_does_not_name_it() -> None:
    bench = Bench(model("domains/secret/models/m"), routes=[route("domains/claims/routes/r", ("domains/secret/models/m", 0, 1))])
    with pytest.raises(MeshError) as failure:
        bench.plan("r")
    assert failure.value.reason_name == "NO_ELIGIBLE_TARGET"
    assert not [key for key in failure.value.metadata if key.startswith("excluded.")]


@pytest.mark.parametrize(
    ("rule", "fields", "profile", "constraints"),
    [
        ("lifecycle", {"lifecycle": registry_pb2.LIFECYCLE_RETIRED}, {}, {}),
        ("lifecycle", {"lifecycle": registry_pb2.LIFECYCLE_PREVIEW}, {}, {}),
        ("not_allowed", {}, {}, {"denied_models": [A]}),
        ("not_allowed", {}, {}, {"allowed_models": ["domains/claims/"]}),
        ("not_allowed", {}, {}, {"allowed_adapters": ["anthropic"]}),
        ("not_allowed", {}, {}, {"allowed_endpoints": ["openai/elsewhere"]}),
        ("not_allowed", {}, {}, {"allowed_models": ["-"]}),
        ("not_allowed", {}, {}, {"allowed_models": ["domains/claims/*"]}),
        ("not_allowed", {"upstream_model": "up"}, {}, {"denied_models": ["upstream:*"]}),
        ("not_allowed", {}, {}, {"callable_models": [{"patterns": ["a"]}, {"patterns": ["b*", C]}]}),
        ("data_class", {}, {}, {"further_data_classes": ["health"]}),
        ("region", {"region": "eu"}, {}, {"regions": ["-"]}),
        ("region", {"region": "us"}, {}, {"regions": ["eu"]}),
        ("region", {}, {}, {"regions": ["eu"]}),
        ("data_class", {}, {}, {"data_class": "restricted"}),
        ("retention", {}, {}, {"zero_retention": True}),
        ("capability:logprobs", {}, {"capabilities": ["logprobs"]}, {}),
        ("capability:generate", {"capabilities": ["embeddings"]}, {"capabilities": ["streaming"]}, {}),
        ("capability:image_input", {}, {"input_modalities": ["image"]}, {}),
        ("context_window", {"context_window": 100}, {"estimated_input_tokens": 101}, {}),
        ("max_output_tokens", {"max_output_tokens": 10}, {"max_output_tokens": 11}, {}),
        ("price", {"free": False}, {}, {}),
    ],
)
def test_each_rule_excludes_under_its_own_name(
    rule: str, fields: dict[str, Any], profile: dict[str, Any], constraints: dict[str, Any]
) -> None:
    bench = Bench(model(A, **fields))
    with pytest.raises(MeshError) as failure:
        bench.plan("a", profile=profile, **constraints)
    assert failure.value.metadata[f"excluded.{A}"] == rule
    assert (failure.value.reason_name, failure.value.http) == (("NO_PRICE", 500) if rule == "price" else ("NO_ELIGIBLE_TARGET", 400))
    decision = bench.decision(failure.value.metadata["decision_id"])
    assert [(candidate.model, candidate.excluded_by) for candidate in decision.candidates] == [(A, rule)]


@pytest.mark.parametrize("patterns", [["a"], [A], ["domains/shared/*"], ["x", "*"]])
def test_a_model_that_is_called_is_allowed_by_its_own_alias_or_name_whatever_leads_there(patterns: list[str]) -> None:
    bench = Bench(model(A), model(B), routes=[route("domains/claims/routes/main", (B, 0, 1), (A, 1, 1))])
    allowed = {A, B} if patterns[-1].endswith("*") else {A}
    assert {attempt.model for attempt in attempts(bench.plan("main", callable_models=[{"patterns": patterns}]))} == allowed


def test_the_alias_of_a_route_allows_none_of_its_targets() -> None:
    bench = Bench(model(A), routes=[route("domains/claims/routes/main", (A, 0, 1))])
    with pytest.raises(MeshError) as failure:
        bench.plan("main", callable_models=[{"patterns": ["main"]}])
    assert (failure.value.reason_name, failure.value.metadata[f"excluded.{A}"]) == ("NO_ELIGIBLE_TARGET", "not_allowed")


def test_a_retired_model_stops_at_its_retire_time() -> None:
    retiring = model(A, lifecycle=registry_pb2.LIFECYCLE_DEPRECATED)
    retiring.retire_time.FromDatetime(NOW + timedelta(seconds=10))
    bench = Bench(retiring)
    assert attempts(bench.plan("a"))
    bench.watch.time = NOW + timedelta(seconds=10)
    with pytest.raises(MeshError, match="NO_ELIGIBLE_TARGET"):
        bench.plan("a")


def test_output_is_bounded_by_request_policy_and_model_whichever_is_least() -> None:
    bench = Bench(model(A, max_output_tokens=500))
    assert attempts(bench.plan("a"))[0].max_output_tokens == 500
    assert attempts(bench.plan("a", max_output_tokens=40))[0].max_output_tokens == 40
    assert attempts(bench.plan("a", profile={"max_output_tokens": 7}))[0].max_output_tokens == 7


def test_input_is_bounded_by_its_bytes_and_the_window() -> None:
    bench = Bench(model(A, context_window=1_000, image_tokens=300, capabilities=["generate", "image_input"]))
    assert attempts(bench.plan("a", profile={"input_bytes": 200, "images": 1}))[0].max_input_tokens == 500
    assert attempts(bench.plan("a", profile={"input_bytes": 5_000}))[0].max_input_tokens == 1_000


@pytest.mark.parametrize("sealed", [resources_pb2.Sealed(), admission("a", audience="policy"), admission("a", lifetime=0)])
def test_an_admission_that_is_missing_for_others_or_expired_is_refused(sealed: resources_pb2.Sealed) -> None:
    with pytest.raises(MeshError, match="INVALID_SEAL"):
        planned(Bench(model(A)).router, sealed, router_pb2.RequestProfile())


def test_an_altered_admission_is_refused() -> None:
    sealed = admission("a")
    sealed.payload = sealed.payload.replace(b"domains/claims", b"domains/others")
    with pytest.raises(MeshError, match="INVALID_SEAL"):
        planned(Bench(model(A)).router, sealed, router_pb2.RequestProfile())


def test_a_failing_target_stands_behind_the_others_and_comes_back() -> None:
    bench = Bench(model(A), model(B), routes=[route("domains/claims/routes/main", (A, 0, 1), (B, 1, 1))])
    for _ in range(5):
        bench.router.note([router_pb2.AttemptResult(model=A, domain="domains/claims", error_reason="PROVIDER_ERROR")])
    assert [attempt.model for attempt in attempts(bench.plan("main"))] == [B, A]
    bench.watch.time = NOW + timedelta(seconds=31)
    sealed = admission("main", lifetime=120)
    assert attempts(planned(bench.router, sealed, router_pb2.RequestProfile()))[0].model == A


def test_what_fails_for_another_domain_stands_where_it_stood() -> None:
    bench = Bench(model(A), model(B), routes=[route("domains/claims/routes/main", (A, 0, 1), (B, 1, 1))])
    bench.router.note([router_pb2.AttemptResult(model=A, domain="domains/other", error_reason="PROVIDER_TIMEOUT")] * 100)
    assert [attempt.model for attempt in attempts(bench.plan("main"))] == [A, B]


def test_the_last_target_is_never_ejected() -> None:
    bench = Bench(model(A))
    bench.router.note([router_pb2.AttemptResult(model=A, domain="domains/claims", error_reason="PROVIDER_ERROR")] * 100)
    assert attempts(bench.plan("a"))[0].model == A


def test_a_request_that_was_wrong_does_not_harm_its_target() -> None:
    bench = Bench(model(A))
    bench.router.note([router_pb2.AttemptResult(model=A, domain="domains/claims", error_reason="PROVIDER_REJECTED")] * 100)
    assert bench.ranking.health("domains/claims", A, NOW) == 1.0


def test_a_decision_is_shown_to_its_own_domain_only() -> None:
    bench = Bench(model(A))
    plan = bench.plan("a")
    assert bench.decision(plan.decision_id).plan == plan
    assert bench.decisions.find("domains/other", plan.decision_id) is None


def test_decisions_are_bounded() -> None:
    decisions = Decisions(10_000)
    question = EligibilityRequest(admission_pb2.Admission(caller=admission_pb2.Caller(domain="d")), router_pb2.RequestProfile(), NOW)
    for number in range(10_050):
        decisions.keep(Decision(str(number), question, Shortlist([], 0, None), (), ()))
    assert decisions.find("d", "49") is None
    assert decisions.find("d", "50") is not None


def test_a_domain_lists_each_alias_once_its_own_first() -> None:
    own = model("domains/claims/models/a", max_output_tokens=5)
    bench = Bench(own, model(A), model("domains/secret/models/s"), routes=[route("domains/claims/routes/r", (A, 0, 1), alias="zed")])
    assert [(alias.alias, alias.owner) for alias in asyncio.run(bench.router.aliases("domains/claims"))] == [
        ("a", "domains/claims"),
        ("zed", "domains/claims"),
    ]
    assert [alias.owner for alias in asyncio.run(bench.router.aliases("domains/other"))] == ["domains/shared"]


async def test_thousands_of_aliases_are_listed_page_by_page_and_in_slices() -> None:
    bench = Bench(*(model(f"domains/claims/models/m{number:04}") for number in range(1_000)))
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    await asyncio.sleep(0)
    before = turns
    listed = await bench.router.aliases("domains/claims")
    assert turns - before >= 9, "others have their turn meanwhile"
    beside.cancel()
    paged: list[str] = []
    while page := await bench.router.aliases("domains/claims", paged[-1] if paged else "", 300):
        assert len(page) <= 300
        paged += [alias.alias for alias in page]
    assert paged == [alias.alias for alias in listed]
    assert len(paged) == 1_000


@given(st.data())
def test_a_plan_never_names_a_target_that_a_rule_excludes(data: st.DataObject) -> None:
    regions = st.sampled_from(["eu", "us", ""])
    names = [f"domains/shared/models/m{number}" for number in range(6)]
    models = [model(name, region=data.draw(regions), free=data.draw(st.booleans())) for name in names]
    bench = Bench(*models, routes=[route("domains/claims/routes/r", *((name, data.draw(st.integers(0, 2)), 1) for name in names))])
    allowed = {made.name for made in models if made.region == "eu" and made.free}
    try:
        planned = {attempt.model for attempt in attempts(bench.plan("r", regions=["eu"]))}
    except MeshError:
        planned = set()
    assert planned <= allowed
    assert bool(planned) == bool(allowed)
