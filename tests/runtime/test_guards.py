"""Each field that can be applied is decided about: the table says when a change of it loosens a guard, or it guards nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import floors_pb2, identity_pb2, ledger_pb2, rules_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_runtime.resources import change_of
from llm_mesh_runtime.resources.guards import GUARDS

APPLIES = (
    rules_pb2.ApplyPolicyRequest,
    registry_pb2.ApplyModelsRequest,
    registry_pb2.ApplySubscriptionsRequest,
    router_pb2.ApplyRoutesRequest,
    catalogue_pb2.ApplyPromptsRequest,
)
OUTPUT_ONLY = frozenset({"name", "etag", "create_time", "update_time"})
NO_GUARDS = {
    "Domain": {"display_name", "floor", "effective", "conflicts"},
    "Project": {"display_name"},
    "Principal": {"display_name"},
    "Role": {"description", "built_in"},
    "Binding": {"state"},
    "Budget": {"spent", "held", "period_end_time", "close_time"},
    "Limit": set[str](),
    "Floor": set[str](),
    # What a model is, and what it costs: rules and floors bind models by their names, and endpoints by their facts.
    "Model": {
        "alias", "display_name", "adapter", "endpoint", "upstream_model", "dialect", "capabilities", "context_window", "max_output_tokens",
        "service_level", "image_tokens", "audio_tokens", "file_tokens", "audio_seconds", "credential", "price", "conflicts",
    },
    "Adapter": {"dialect", "description"},
    # Where an endpoint added at run time leads is bounded by its operator; a new address needs its credential named anew.
    "Endpoint": {"description", "processor", "connection"},
    # Where a route leads is checked for each request, by the models that are called.
    "Route": {"alias", "targets", "max_attempts", "limits"},
    # Each version of terms is accepted by name.
    "Subscription": {
        "publisher", "product", "alias", "accepted_version", "model", "route", "proposed", "withdrawn", "products", "proposals",
    },
    "WantedPrompt": {"description", "version", "labels"},
}  # fmt: skip


def applied_resources() -> Iterator[Descriptor]:
    for request in APPLIES:
        for field in request.DESCRIPTOR.fields:
            if field.is_repeated and field.message_type is not None and not field.message_type.GetOptions().map_entry:
                yield field.message_type  # type: ignore[misc]  # protobuf has two types of descriptors


def test_every_field_that_can_be_applied_is_decided_about() -> None:
    resources = list(applied_resources())
    assert {resource.name for resource in resources} == NO_GUARDS.keys()
    decided = {field for field in GUARDS if field.rpartition(".")[0] in {resource.full_name for resource in resources}}
    assert decided == GUARDS.keys(), "the table names only fields of what can be applied"
    for resource in resources:
        fields = {field.name for field in resource.fields} - OUTPUT_ONLY
        guards = {field.name for field in resource.fields if field.full_name in GUARDS}
        assert guards | NO_GUARDS[resource.name] == fields, f"decide whether these fields of {resource.name} guard something"
        assert not guards & NO_GUARDS[resource.name]


def money(nanos: int, currency: str = "USD") -> resources_pb2.Money:
    return resources_pb2.Money(currency=currency, nanos=nanos)


def loosened(before: Message, after: Message) -> set[str]:
    change = change_of("x", before, after)
    assert change.loosens == any(field.loosens for field in change.fields)
    return {field.path for field in change.fields if field.loosens}


D, P, L, B, F = identity_pb2.Domain, identity_pb2.Project, ledger_pb2.Limit, ledger_pb2.Budget, floors_pb2.Floor
M, E, R = registry_pb2.Model, registry_pb2.Endpoint, rules_pb2.Role
MASK, BLOCK, LOG = floors_pb2.SCREENING_ACTION_MASK, floors_pb2.SCREENING_ACTION_BLOCK, floors_pb2.SCREENING_ACTION_LOG


def screened(**actions: floors_pb2.ScreeningAction) -> floors_pb2.Floor:
    return F(screening=[floors_pb2.ScreeningRule(detector=name, action=action) for name, action in actions.items()])


def granting(*pairs: tuple[str, str]) -> rules_pb2.Role:
    return R(permissions=[rules_pb2.Permission(actions=[action], resources=[resource] if resource else []) for action, resource in pairs])


def seconds(value: int) -> ledger_pb2.Limit:
    limit = L()
    limit.window.FromSeconds(value)
    return limit


def retiring(value: int) -> registry_pb2.Model:
    model = M()
    model.retire_time.FromSeconds(value)
    return model


LOOSER = [
    (P(allowed_models=["a"]), P()),
    (P(allowed_models=["a"]), P(allowed_models=["a", "b"])),
    (P(allowed_models=["a*"]), P(allowed_models=["*"])),
    (P(max_output_tokens=5), P()),
    (P(max_output_tokens=5), P(max_output_tokens=6)),
    (P(strict_charging=True), P()),
    (D(regions=["eu"]), D(regions=["us"])),
    (D(default_data_class="restricted"), D(default_data_class="public")),
    (D(default_data_class="restricted"), D()),
    (D(default_data_class="ours"), D(default_data_class="restricted")),
    (D(allowed_adapters=["openai"]), D()),
    (D(zero_retention=True), D()),
    (identity_pb2.Principal(disabled=True), identity_pb2.Principal()),
    (granting(("models.get", "")), granting(("models.*", ""))),
    (granting(("models.get", "models/a")), granting(("models.get", ""))),
    (rules_pb2.Binding(role="roles/viewer"), rules_pb2.Binding(role="roles/domain-admin")),
    (rules_pb2.Binding(scope="domains/a/projects/b"), rules_pb2.Binding()),
    (L(amount=1), L(amount=2)),
    (seconds(60), seconds(59)),
    (seconds(60), L()),
    (L(metric=ledger_pb2.LIMIT_METRIC_REQUESTS), L(metric=ledger_pb2.LIMIT_METRIC_CONCURRENCY)),
    (L(subject="domains/a"), L(subject="domains/b")),
    (L(tag_required=True), L()),
    (B(amount=money(1)), B(amount=money(2))),
    (B(amount=money(2)), B(amount=money(1, "EUR"))),
    (B(amount=money(2)), B()),
    (B(period=ledger_pb2.BUDGET_PERIOD_MONTHLY), B(period=ledger_pb2.BUDGET_PERIOD_DAILY)),
    (B(), B(period=ledger_pb2.BUDGET_PERIOD_MONTHLY)),
    (B(subject="domains/a"), B(subject="domains/b")),
    (screened(email=MASK), screened()),
    (screened(email=BLOCK), screened(email=LOG)),
    (F(minimum_data_classes=["restricted"]), F(minimum_data_classes=["internal"])),
    (F(minimum_data_classes=["ours", "public"]), F(minimum_data_classes=["restricted"])),
    (F(denied_models=["a", "b"]), F(denied_models=["a"])),
    (F(denied_models=["a*"]), F(denied_models=["a"])),
    (F(regions=["-"]), F(regions=["eu"])),
    (F(regions=["-"]), F()),
    (M(lifecycle=registry_pb2.LIFECYCLE_DEPRECATED), M(lifecycle=registry_pb2.LIFECYCLE_ACTIVE)),
    (M(lifecycle=registry_pb2.LIFECYCLE_RETIRED), M()),
    (retiring(5), M()),
    (retiring(5), retiring(6)),
    (M(), M(free=True)),
    (M(), M(zero_retention=True)),
    (M(region="us"), M(region="eu")),
    (M(), M(data_classes=["public", "internal", "restricted"])),
    (M(data_classes=["public"]), M()),
    (M(shared_with=["domains/a"]), M(shared_with=["*"])),
    (E(free_allowed=False), E(free_allowed=True)),
    (E(price_floor=registry_pb2.PriceFloor(input_nanos_per_million=2)), E()),
    (
        E(price_floor=registry_pb2.PriceFloor(input_nanos_per_million=2)),
        E(price_floor=registry_pb2.PriceFloor(input_nanos_per_million=1)),
    ),
    (
        E(price_floor=registry_pb2.PriceFloor(input_nanos_per_million=5)),
        E(price_floor=registry_pb2.PriceFloor(input_nanos_per_million=5, cached_input_nanos_per_million=1)),
    ),
    (
        E(price_floor=registry_pb2.PriceFloor(output_nanos_per_million=5)),
        E(price_floor=registry_pb2.PriceFloor(output_nanos_per_million=5, reasoning_nanos_per_million=4)),
    ),
    (E(price_floor=registry_pb2.PriceFloor(request_nanos_per_million=5)), E(price_floor=registry_pb2.PriceFloor())),
    (E(token_floor=registry_pb2.TokenFloor(image_tokens=2)), E()),
    (E(token_floor=registry_pb2.TokenFloor(image_tokens=2)), E(token_floor=registry_pb2.TokenFloor(image_tokens=1))),
    (E(token_floor=registry_pb2.TokenFloor(hidden_output=["reasoning"])), E(token_floor=registry_pb2.TokenFloor())),
    (E(), E(credentials=["a"])),
    (E(upstream_models=["gpt-4*"]), E(upstream_models=["gpt-*"])),
    (E(domains=["domains/a"]), E()),
    (router_pb2.Route(), router_pb2.Route(shared_with=["domains/a"])),
]
STRICTER = [
    (P(allowed_models=["a*"]), P(allowed_models=["ab", "ac*"])),
    (P(allowed_models=["a"]), P(display_name="x", allowed_models=["a"])),
    (D(regions=["eu"]), D(regions=["-"])),
    (F(minimum_data_classes=["internal"]), F(minimum_data_classes=["restricted"])),
    (screened(email=LOG), screened(email=BLOCK, iban=LOG)),
    (F(denied_models=["a"]), F(denied_models=["a*"])),
    (granting(("models.*", "")), granting(("models.get", "models/a"))),
    (granting(("*", "")), granting(("models.*", ""))),
    (seconds(60), seconds(61)),
    (B(period=ledger_pb2.BUDGET_PERIOD_DAILY), B(period=ledger_pb2.BUDGET_PERIOD_TOTAL)),
    (retiring(6), retiring(5)),
    (M(shared_with=["*"]), M(shared_with=["domains/a"])),
    (M(region="eu"), M()),
    (M(data_classes=["public", "internal"]), M()),
]


@pytest.mark.parametrize(("before", "after"), LOOSER)
def test_what_loosens_is_marked(before: Message, after: Message) -> None:
    assert loosened(before, after), f"{before} to {after}"


@pytest.mark.parametrize(
    ("before", "after"),
    [*STRICTER, *((after, before) for before, after in LOOSER if loosened(before, after) and not loosened(after, before))],
)
def test_what_tightens_is_not_marked(before: Message, after: Message) -> None:
    assert not loosened(before, after), f"{before} to {after}"


def test_every_guard_is_seen_to_loosen() -> None:
    seen = {f"{before.DESCRIPTOR.full_name}.{path.partition('.')[0]}" for before, after in LOOSER for path in loosened(before, after)}
    others = {name for name in GUARDS if name not in seen}
    same_rule = {GUARDS[name] for name in seen}
    assert {GUARDS[name] for name in others} <= same_rule, f"no case loosens {sorted(others)}"


def test_a_creation_loosens_nothing() -> None:
    assert not change_of("x", None, P(allowed_models=["*"])).loosens
