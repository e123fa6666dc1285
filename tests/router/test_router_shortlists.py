"""What the router keeps of an alias says the same as asking all rules anew, for every request and after every change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_router.domain import shortlists
from llm_mesh_runtime.errors import MeshError
from tests.router.test_router_planning import NOW, A, B, Bench, attempts, model, route

CAPABLE = ["generate", "embeddings", "streaming", "tools", "image_input"]


def small() -> registry_pb2.Model:
    return model(A, context_window=1_000, max_output_tokens=100, image_tokens=10, region="eu", capabilities=CAPABLE)


def large() -> registry_pb2.Model:
    return model(B, context_window=9_000, image_tokens=20, zero_retention=True, capabilities=CAPABLE)


def bench() -> Bench:
    return Bench(small(), large(), routes=[route("domains/claims/routes/main", (A, 0, 1), (B, 1, 1))])


def told(planning: Bench, profile: dict[str, Any], constraints: dict[str, Any]) -> tuple[object, ...]:
    """The attempts, or the rules that exclude all."""
    try:
        plan = planning.plan("main", profile=profile, **constraints)
    except MeshError as failure:
        return tuple(sorted((key, rule) for key, rule in failure.metadata.items() if key.startswith("excluded.")))
    return tuple(attempt.SerializeToString() for attempt in attempts(plan))


PROFILES = st.fixed_dictionaries(
    {},
    optional={
        "input_bytes": st.sampled_from([0, 500, 5_000]),
        "estimated_input_tokens": st.sampled_from([0, 950, 8_500, 9_500]),
        "max_output_tokens": st.sampled_from([0, 50, 200, 5_000]),
        "images": st.sampled_from([0, 1]),
        "input_modalities": st.sampled_from([["text"], ["text", "image"]]),
        "capabilities": st.sampled_from([[], ["tools"], ["logprobs"]]),
    },
)
CONSTRAINTS = st.fixed_dictionaries(
    {},
    optional={
        "regions": st.sampled_from([["eu"], ["us"]]),
        "denied_models": st.sampled_from([[A], [B]]),
        "zero_retention": st.booleans(),
        "max_output_tokens": st.sampled_from([10, 1_000]),
    },
)


@given(st.lists(st.tuples(PROFILES, CONSTRAINTS), min_size=2, max_size=12))
def test_a_router_that_has_planned_before_plans_like_a_fresh_one(requests: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    used = bench()
    for profile, constraints in requests:
        assert told(used, profile, constraints) == told(bench(), profile, constraints)


def test_the_next_plan_knows_a_changed_model() -> None:
    planning = bench()
    assert attempts(planning.plan("main"))[0].upstream_model == "up"
    changed = small()
    changed.upstream_model = "newer"
    planning.models.put(changed)
    assert attempts(planning.plan("main"))[0].upstream_model == "newer"
    planning.models.remove(A)
    assert [attempt.model for attempt in attempts(planning.plan("main"))] == [B]
    planning.models.replace([changed])
    assert [attempt.model for attempt in attempts(planning.plan("main"))] == [A]


def test_the_next_plan_knows_a_changed_route() -> None:
    planning = bench()
    assert len(attempts(planning.plan("main"))) == 2
    planning.book.replace([route("domains/claims/routes/main", (B, 0, 1))])
    assert [attempt.model for attempt in attempts(planning.plan("main"))] == [B]


def test_a_retire_time_ends_what_is_kept() -> None:
    retiring = small()
    retiring.retire_time.FromDatetime(NOW + timedelta(seconds=10))
    planning = Bench(retiring, large(), routes=[route("domains/claims/routes/main", (A, 0, 1), (B, 1, 1))])
    assert len(attempts(planning.plan("main"))) == 2
    planning.watch.time = NOW + timedelta(seconds=10)
    assert [attempt.model for attempt in attempts(planning.plan("main"))] == [B]


def test_domains_do_not_share_what_is_kept() -> None:
    own = model("domains/claims/models/a")
    planning = Bench(model(A), own)
    assert attempts(planning.plan("a"))[0].model == own.name
    assert attempts(planning.plan("a", domain="domains/other"))[0].model == A


def test_a_plan_is_the_requests_own() -> None:
    planning = bench()
    first: plan_pb2.Plan = planning.plan("main", profile={"max_output_tokens": 7})
    attempts(first)[0].adapter = "spoilt"
    second = attempts(planning.plan("main"))[0]
    assert (second.adapter, second.max_output_tokens) == ("openai", 100)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortlists, "_MOST_KEPT", 3)
    planning = bench()
    for limit in range(1, 9):
        assert attempts(planning.plan("main", max_output_tokens=limit))[0].max_output_tokens == limit
    assert len(planning.router._planner._shortlists._shortlists) <= 3
