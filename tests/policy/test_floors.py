"""Floors: what the platform sets, how it combines with what a domain sets, and that nobody sets more."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.policy.v1 import floors_pb2, identity_pb2, policy_pb2, rules_pb2
from llm_mesh_policy.rules.domain import stricter
from llm_mesh_policy.screening.domain.rules import ScreeningRules
from llm_mesh_policy.screening.domain.scan import BLOCKED, LOGGED, MASKED
from llm_mesh_policy.store.migrations import v0004_floors
from llm_mesh_runtime.resources import page_of
from tests.policy.conftest import ADMIN, World
from tests.policy.refusals import refusal

CLAIMS = "domains/claims"
FLOOR = "domains/platform/floors/claims"
EVERY = "domains/platform/floors/-"
LOG, MASK, BLOCK = (floors_pb2.SCREENING_ACTION_LOG, floors_pb2.SCREENING_ACTION_MASK, floors_pb2.SCREENING_ACTION_BLOCK)


def floor(name: str = FLOOR, **fields: object) -> floors_pb2.Floor:
    return floors_pb2.Floor(name=name, **fields)  # type: ignore[arg-type]  # the fields of a floor


async def update(world: World, who: str, *paths: str, **fields: object) -> identity_pb2.Domain:
    wanted = identity_pb2.Domain(name=CLAIMS, **fields)  # type: ignore[arg-type]  # the fields of a domain
    return await world.half.directory.update_domain(world.actor(who), wanted, FieldMask(paths=paths or tuple(fields)))


async def test_a_floor_is_put_shown_listed_and_deleted(world: World) -> None:
    floors = world.half.flooring
    made = (await floors.put(ADMIN, floor(regions=["eu"]))).value
    await floors.put(ADMIN, floor(EVERY, zero_retention=True))
    assert (await floors.get(FLOOR)).regions == ["eu"]
    listed, _ = await floors.page(page_of(rules_pb2.ListFloorsRequest()))
    assert [each.name for each in listed] == [EVERY, FLOOR]
    assert (await refusal(floors.put(ADMIN, floor(regions=["us"], etag="other")))).reason_name == "ETAG_MISMATCH"
    await floors.put(ADMIN, floor(regions=["us"], etag=made.etag))
    await floors.delete(ADMIN, FLOOR)
    assert (await refusal(floors.get(FLOOR))).reason_name == "NOT_FOUND"
    assert (await refusal(floors.delete(ADMIN, FLOOR))).reason_name == "NOT_FOUND"


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (floor("domains/claims/floors/claims"), "floor.name"),
        (floor("domains/platform/floors/none"), "floor.name"),
        (floor(regions=["EU"]), "floor.regions[0]"),
        (floor(regions=["eu", "-"]), "floor.regions"),
        (floor(minimum_data_classes=["Secret"]), "floor.minimum_data_classes[0]"),
        (floor(allowed_endpoints=["openai"]), "floor.allowed_endpoints[0]"),
        (floor(allowed_models=["gpt-4"]), "floor.allowed_models[0]"),
        (floor(allowed_models=["upstream:openai/openai/gpt-4"]), "floor.allowed_models[0]"),
        (floor(denied_models=["gpt-4"]), "floor.denied_models[0]"),
        (floor(max_output_tokens=-1), "floor.max_output_tokens"),
        (floor(may_accept_from=["claims"]), "floor.may_accept_from[0]"),
        (floor(screening=[floors_pb2.ScreeningRule(detector="none", action=BLOCK)]), "floor.screening[0].detector"),
        (floor(screening=[floors_pb2.ScreeningRule(detector="private_key")]), "floor.screening[0].action"),
        (floor(screening=[floors_pb2.ScreeningRule(detector="private_key", action=BLOCK)] * 2), "floor.screening[1].detector"),
    ],
)
async def test_a_floor_is_of_its_form(world: World, wanted: floors_pb2.Floor, field: str) -> None:
    error = await refusal(world.half.flooring.put(ADMIN, wanted))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", field)


async def test_a_domain_sees_its_floor_and_what_holds(world: World) -> None:
    await world.half.flooring.put(ADMIN, floor(regions=["eu", "ch"], minimum_data_classes=["confidential"], max_output_tokens=50))
    await world.half.flooring.put(ADMIN, floor(EVERY, zero_retention=True, max_output_tokens=90))
    await update(world, "claims/owner", regions=["eu"])
    shown = await world.half.directory.domain(CLAIMS)
    assert (shown.floor.name, list(shown.floor.regions), shown.floor.zero_retention) == (FLOOR, ["eu", "ch"], True)
    held = shown.effective
    assert (list(held.regions), held.data_class, held.zero_retention, held.max_output_tokens) == (["eu"], "confidential", True, 50)
    [listed], _ = await world.half.directory.domains(world.actor("claims/owner"), page_of(identity_pb2.ListDomainsRequest()))
    assert listed == shown


@pytest.mark.parametrize(
    "fields",
    [{"regions": ["us"]}, {"regions": ["eu", "us"]}, {"allowed_adapters": ["anthropic"]}, {"default_data_class": "public"}],
)
async def test_a_domain_sets_nothing_beyond_its_floor(world: World, fields: dict[str, object]) -> None:
    await world.half.flooring.put(ADMIN, floor(regions=["eu"], allowed_adapters=["openai"], minimum_data_classes=["internal"]))
    error = await refusal(update(world, "claims/owner", **fields))
    assert (error.reason_name, error.field) == ("ESCALATION_DENIED", f"domain.{next(iter(fields))}")
    wanted = identity_pb2.Domain(name=CLAIMS, **fields)  # type: ignore[arg-type]  # the fields of a domain
    request = rules_pb2.ApplyPolicyRequest(parent=CLAIMS, domains=[wanted])
    assert (await refusal(world.half.applying.apply(ADMIN, request))).reason_name == "ESCALATION_DENIED"


async def test_a_project_sets_no_more_output_than_its_floor(world: World) -> None:
    await world.half.flooring.put(ADMIN, floor(max_output_tokens=100))
    wanted = identity_pb2.Project(name=f"{CLAIMS}/projects/triage", max_output_tokens=101)
    error = await refusal(world.half.directory.update_project(world.actor("claims/owner"), wanted, FieldMask()))
    assert (error.reason_name, error.field) == ("ESCALATION_DENIED", "project.max_output_tokens")
    wanted.max_output_tokens = 100
    await world.half.directory.update_project(world.actor("claims/owner"), wanted, FieldMask())


async def test_clearing_its_own_setting_lifts_nothing_and_what_stood_before_may_stay(world: World) -> None:
    await update(world, "claims/owner", regions=["us"])
    await world.half.flooring.put(ADMIN, floor(regions=["eu"]))
    beside = await update(world, "claims/owner", display_name="Claims again")
    assert beside.conflicts == ["regions"]
    cleared = await update(world, "claims/owner", "regions")
    assert (list(cleared.effective.regions), list(cleared.conflicts)) == (["eu"], [])


async def test_an_apply_puts_floors_first_and_only_for_who_may(world: World) -> None:
    request = rules_pb2.ApplyPolicyRequest(
        parent="domains/platform",
        floors=[floor("domains/platform/floors/fresh", regions=["eu"])],
        domains=[identity_pb2.Domain(name="domains/fresh", regions=["eu"])],
    )
    assert len((await world.half.applying.apply(ADMIN, request)).changes) == 2
    assert (await world.half.applying.apply(ADMIN, request)).revision == 0
    request.domains[0].regions[:] = ["us"]
    assert (await refusal(world.half.applying.apply(ADMIN, request))).reason_name == "ESCALATION_DENIED"
    mine = rules_pb2.ApplyPolicyRequest(parent=CLAIMS, floors=[floor()])
    assert (await refusal(world.half.applying.apply(world.actor("claims/owner"), mine))).field == "floors[0].name"
    mine.parent = "domains/platform"
    assert (await refusal(world.half.applying.apply(world.actor("claims/owner"), mine))).reason_name == "ACTION_DENIED"


async def test_a_floor_is_in_the_audit_of_both_domains(world: World) -> None:
    await world.half.flooring.put(ADMIN, floor(regions=["eu"]))
    for domain in ("domains/platform", CLAIMS):
        records, _ = await world.half.rules.audit_records(domain, "", page_of(rules_pb2.ListAuditRecordsRequest(page_size=3)))
        assert "floors.put" in [record.action for record in records]


def test_what_has_nothing_in_common_allows_nothing() -> None:
    domain = identity_pb2.Domain(regions=["us"], allowed_adapters=["openai"])
    for field, bound in {
        "regions": floor(regions=["eu"]),
        "allowed_adapters": floor(allowed_adapters=["anthropic"]),
        "allowed_endpoints": floor(allowed_endpoints=["anthropic/eu"]),
        "allowed_models": floor(allowed_models=["-"]),
        "default_data_class": floor(data_classes=["public"]),
    }.items():
        held = stricter.holding(domain, bound)
        assert field in held.conflicts
        if field != "default_data_class":
            assert list(getattr(held.constraints, field)) == ["-"]  # never empty, which would be everything


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ([], [], []),
        (["a"], [], ["a"]),
        (["domains/a/*"], ["domains/a/models/x"], ["domains/a/models/x"]),
        (["domains/a/models/x"], ["domains/*"], ["domains/a/models/x"]),
        (["domains/a/*"], ["domains/b/*"], ["-"]),
        (["*"], ["domains/b/*"], ["domains/b/*"]),
        (["-"], ["a"], ["-"]),
    ],
)
def test_patterns_intersect_to_the_narrower(one: list[str], other: list[str], both: list[str]) -> None:
    assert stricter.pattern_intersection(one, other) == both
    assert stricter.pattern_intersection(other, one) == both


def test_the_highest_class_holds_and_those_without_order_beside_it() -> None:
    assert stricter.highest(["internal", "restricted", "health", "public"]) == ["restricted", "health"]
    held = stricter.holding(identity_pb2.Domain(default_data_class="health"), floor(minimum_data_classes=["confidential"])).constraints
    assert (held.data_class, list(held.further_data_classes)) == ("confidential", ["health"])


def test_two_floors_combine_by_the_stricter_in_any_order() -> None:
    rule = floors_pb2.ScreeningRule
    floors = [
        floor(
            regions=["eu", "ch"], max_output_tokens=10, screening=[rule(detector="iban", action=LOG), rule(detector="email", action=BLOCK)]
        ),
        floor(regions=["ch", "us"], max_output_tokens=20, zero_retention=True, screening=[rule(detector="iban", action=MASK)]),
        floor(denied_models=["domains/x/models/a"], may_accept_from=["-"]),
    ]
    for order in itertools.permutations(floors):
        both = stricter.combined(CLAIMS, order)
        assert (list(both.regions), both.max_output_tokens, both.zero_retention, list(both.may_accept_from)) == (["ch"], 10, True, ["-"])
        assert {each.detector: each.action for each in both.screening} == {"iban": MASK, "email": BLOCK}
        assert both.denied_models == ["domains/x/models/a"]


def test_screening_is_the_stricter_of_settings_and_floor() -> None:
    floors = {CLAIMS: {"private_key": LOGGED, "iban": BLOCKED}}
    rules = ScreeningRules(["private_key=mask", f"{CLAIMS}:email=log"], lambda domain: floors.get(domain, {}))
    actions = rules.of(CLAIMS).actions
    assert (actions["private_key"], actions["iban"], actions["email"]) == (MASKED, BLOCKED, LOGGED)
    assert "iban" not in rules.of("domains/sales").actions
    floors[CLAIMS] = {}
    assert "iban" not in rules.of(CLAIMS).actions


def test_what_stood_in_a_domain_becomes_its_floor_at_the_upgrade() -> None:
    stored = {
        "claims": identity_pb2.Domain(regions=["eu"], default_data_class="confidential"),
        "sales": identity_pb2.Domain(display_name="Sales"),
    }
    engine = sa.create_engine("sqlite://", poolclass=sa.NullPool)
    domains = sa.table("domains", sa.column("id"), sa.column("body"), sa.column("update_time"))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE domains (id TEXT, body BLOB, update_time INTEGER)")
        rows = [{"id": name, "body": domain.SerializeToString(), "update_time": 5} for name, domain in stored.items()]
        connection.execute(sa.insert(domains), rows)
        from alembic.migration import MigrationContext  # noqa: PLC0415 (only here)
        from alembic.operations import Operations  # noqa: PLC0415 (likewise)

        v0004_floors.upgrade(Operations(MigrationContext.configure(connection)))
        [row] = connection.exec_driver_sql("SELECT domain, id, body FROM floors").all()
    made = floors_pb2.Floor.FromString(row.body)
    assert (row.domain, row.id, list(made.regions), list(made.minimum_data_classes)) == ("platform", "claims", ["eu"], ["confidential"])


def test_every_finding_action_has_its_screening_action() -> None:
    from llm_mesh_policy.screening.domain.rules import ACTIONS  # noqa: PLC0415 (only here)

    assert set(ACTIONS) == {number for number in floors_pb2.ScreeningAction.values() if number}
    assert set(ACTIONS.values()) == {LOGGED, MASKED, BLOCKED} <= set(policy_pb2.FindingAction.values())
