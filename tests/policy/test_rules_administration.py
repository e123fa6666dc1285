"""Roles, bindings, reasons, and what nobody may give."""

from __future__ import annotations

import pytest

from llm_mesh.policy.v1 import rules_pb2
from llm_mesh_policy.rules.domain.roles import BUILT_IN
from llm_mesh_runtime.resources import page_of
from tests.policy.conftest import ADMIN, World
from tests.policy.refusals import refusal

READER = rules_pb2.Role(
    name="domains/claims/roles/reader", permissions=[rules_pb2.Permission(actions=["models.get"], resources=["models/*"])]
)
NOBODY = "domains/claims/principals/nobody"


async def bind(world: World, who: str, **fields: str) -> rules_pb2.Binding:
    binding = rules_pb2.Binding(principal=NOBODY, **fields)
    return (await world.half.rules.create_binding(world.actor(who), "domains/claims", "", binding)).value


async def test_a_role_holds_from_the_answer_on_and_ends_with_its_binding(world: World) -> None:
    rules, key = world.half.rules, world.secret("claims/nobody")
    await rules.put_role(world.actor("claims/owner"), READER)
    bound = await bind(world, "claims/owner", role=READER.name)
    await world.half.ask(key, "models.get", "domains/claims/models/m")
    await rules.delete_binding(world.actor("claims/owner"), bound.name)
    assert (await refusal(world.half.ask(key, "models.get", "domains/claims/models/m"))).reason_name == "ACTION_DENIED"


async def test_a_changed_role_changes_what_its_holders_may(world: World) -> None:
    rules, key = world.half.rules, world.secret("claims/nobody")
    await rules.put_role(ADMIN, READER)
    await bind(world, "admin", role=READER.name)
    await world.half.ask(key, "models.get", "domains/claims/models/m")
    await rules.put_role(ADMIN, rules_pb2.Role(name=READER.name))
    assert (await refusal(world.half.ask(key, "models.get", "domains/claims/models/m"))).reason_name == "ACTION_DENIED"


@pytest.mark.parametrize(
    "permission",
    [
        rules_pb2.Permission(actions=["*"]),
        rules_pb2.Permission(actions=["domains.create"]),
        rules_pb2.Permission(actions=["reservations.*"]),
        rules_pb2.Permission(actions=["models.get", "endpoints.list"]),
    ],
)
async def test_a_role_grants_nothing_that_its_maker_does_not_hold(world: World, permission: rules_pb2.Permission) -> None:
    role = rules_pb2.Role(name="domains/claims/roles/more", permissions=[permission])
    assert (await refusal(world.half.rules.put_role(world.actor("claims/owner"), role))).reason_name == "ESCALATION_DENIED"
    await world.half.rules.put_role(ADMIN, role)


async def test_a_binding_gives_nothing_that_its_maker_does_not_hold(world: World) -> None:
    assert (await refusal(bind(world, "claims/dev", role="roles/domain-admin"))).reason_name == "ESCALATION_DENIED"
    assert (await refusal(bind(world, "claims/owner", role="roles/platform-admin"))).reason_name == "ESCALATION_DENIED"
    assert (await refusal(bind(world, "sales/owner", role="roles/viewer"))).reason_name == "ESCALATION_DENIED"
    await bind(world, "claims/owner", role="roles/domain-admin")


async def test_who_administers_a_project_gives_nothing_in_its_domain(world: World) -> None:
    await bind(world, "claims/owner", role="roles/domain-admin", scope="domains/claims/projects/triage")
    inside = await bind(world, "claims/nobody", role="roles/viewer", scope="domains/claims/projects/triage")
    assert inside.scope == "domains/claims/projects/triage"
    assert (await refusal(bind(world, "claims/nobody", role="roles/viewer"))).reason_name == "ESCALATION_DENIED"


async def test_a_refused_escalation_changes_nothing_and_is_on_record(world: World) -> None:
    before = world.half.live.snapshot().revision
    await refusal(bind(world, "claims/dev", role="roles/domain-admin"))
    assert (await world.half.live.refresh()).revision == before
    request = rules_pb2.ListAuditRecordsRequest(page_size=1)
    [record], _ = await world.half.rules.audit_records("domains/-", "", page_of(request))
    assert (record.action, record.allowed, record.principal) == ("rules.escalate", False, "domains/claims/principals/dev")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"role": ""}, "binding.role"),
        ({"role": "roles/none"}, "binding.role"),
        ({"role": "roles/everyone"}, "binding.role"),
        ({"role": "domains/sales/roles/reader"}, "binding.role"),
        ({"role": "domains/claims/roles/none"}, "binding.role"),
        ({"role": "roles/viewer", "scope": "*"}, "binding.scope"),
        ({"role": "roles/viewer", "scope": "domains/sales"}, "binding.scope"),
        ({"role": "roles/viewer", "scope": "domains/claims/projects/none"}, "binding.scope"),
        ({"role": "roles/viewer", "scope": "domains/claims/projects/-"}, "binding.scope"),
        ({"role": "roles/viewer", "scope": "projects/triage"}, "binding.scope"),
        ({"role": "roles/viewer", "principal": "domains/claims/principals/none"}, "binding.principal"),
        ({"role": "roles/viewer", "principal": "*"}, "binding.principal"),
        ({"role": "roles/viewer", "principal": ""}, "binding.principal"),
    ],
)
async def test_a_binding_names_what_exists_within_its_domain(world: World, fields: dict[str, str], field: str) -> None:
    binding = rules_pb2.Binding(**{"principal": NOBODY, **fields})
    error = await refusal(world.half.rules.create_binding(ADMIN, "domains/claims", "", binding))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", field)


@pytest.mark.parametrize(
    ("permission", "field"),
    [
        (rules_pb2.Permission(), "role.permissions[0].actions"),
        (rules_pb2.Permission(actions=["models"]), "role.permissions[0].actions[0]"),
        (rules_pb2.Permission(actions=["models.g*"]), "role.permissions[0].actions[0]"),
        (rules_pb2.Permission(actions=["*"], resources=["a*b"]), "role.permissions[0].resources[0]"),
        (rules_pb2.Permission(actions=["*"], resources=[""]), "role.permissions[0].resources[0]"),
        (rules_pb2.Permission(actions=["*"], resources=["x"] * 65), "role.permissions[0].resources"),
        (rules_pb2.Permission(actions=['*" || true || "']), "role.permissions[0].actions[0]"),
    ],
)
async def test_a_permission_is_of_its_form(world: World, permission: rules_pb2.Permission, field: str) -> None:
    role = rules_pb2.Role(name="domains/claims/roles/r", permissions=[permission])
    error = await refusal(world.half.rules.put_role(ADMIN, role))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", field)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
async def test_built_in_roles_are_not_replaced(world: World, name: str) -> None:
    assert (await refusal(world.half.rules.put_role(ADMIN, rules_pb2.Role(name=name)))).reason_name == "INVALID_FIELD"


async def test_a_role_that_is_held_is_not_deleted(world: World) -> None:
    rules = world.half.rules
    await rules.put_role(ADMIN, READER)
    bound = await bind(world, "admin", role=READER.name)
    error = await refusal(rules.delete_role(ADMIN, READER.name))
    assert (error.reason_name, error.metadata["users"]) == ("IN_USE", bound.name)
    await rules.delete_binding(ADMIN, bound.name)
    await rules.delete_role(ADMIN, READER.name)
    assert (await refusal(rules.delete_role(ADMIN, READER.name))).reason_name == "NOT_FOUND"


@pytest.mark.parametrize("size", [1, 6, 7, 50])
async def test_built_in_roles_are_listed_first(world: World, size: int) -> None:
    await world.half.rules.put_role(ADMIN, READER)
    names, token = [], ""
    while True:
        request = rules_pb2.ListRolesRequest(parent="domains/claims", page_size=size, page_token=token)
        shown, token = await world.half.rules.roles(request.parent, page_of(request, request.parent))
        names += [role.name for role in shown]
        if not token:
            break
    assert names == [*sorted(BUILT_IN), READER.name]


async def test_an_explanation_names_binding_and_permission(world: World) -> None:
    request = rules_pb2.ExplainRequest(
        parent="domains/claims", principal="domains/claims/principals/app", action="models.generate", resource="models/gpt-4.1"
    )
    answer = await world.half.explaining.explain(ADMIN, request)
    assert answer.allowed
    assert [ground.binding.name for ground in answer.grounds] == ["domains/claims/bindings/app"]
    assert "models.generate" in answer.grounds[0].permission.actions
    request.action = "keys.create"
    denied = await world.half.explaining.explain(ADMIN, request)
    assert not denied.allowed
    assert not denied.grounds
    assert "domains/claims/bindings/app" in [binding.name for binding in denied.considered]


async def test_an_explanation_does_not_tell_of_other_domains(world: World) -> None:
    there = rules_pb2.Binding(principal="domains/claims/principals/app", role="roles/viewer")
    await world.half.rules.create_binding(ADMIN, "domains/sales", "", there)
    request = rules_pb2.ExplainRequest(
        parent="domains/claims", principal="domains/claims/principals/app", action="models.get", resource="models/m"
    )
    assert {binding.name.split("/")[1] for binding in (await world.half.explaining.explain(ADMIN, request)).considered} <= {"claims"}
    request.resource = "domains/sales/models/m"
    error = await refusal(world.half.explaining.explain(ADMIN, request))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", "resource")


async def test_a_change_is_decided_by_the_rules_of_its_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading the rules and beginning the transaction the owner loses the role that it would give away."""
    half, owner = world.half, world.actor("claims/owner")
    stale = await half.live.refresh()
    await half.rules.delete_binding(ADMIN, "domains/claims/bindings/owner")
    refresh, answers = half.live.refresh, [stale]

    async def late() -> object:
        return answers.pop() if answers else await refresh()

    monkeypatch.setattr(half.live, "refresh", late)
    binding = rules_pb2.Binding(principal=NOBODY, role="roles/domain-admin")
    error = await refusal(half.rules.create_binding(owner, "domains/claims", "", binding))
    assert error.reason_name == "ESCALATION_DENIED"
    assert not answers
