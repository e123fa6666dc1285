"""Who may bind whom, who may take away, and what no answer tells of principals elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.policy.v1 import errors_pb2, identity_pb2, rules_pb2
from llm_mesh_policy.domain.kinds import BINDINGS
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import page_of
from tests.policy.conftest import ADMIN, World
from tests.policy.refusals import refusal

CLAIMS, SALES = "domains/claims", "domains/sales"
THEIRS = f"{CLAIMS}/principals/nobody"
ABSENT = f"{CLAIMS}/principals/absent"
PENDING, ACTIVE = rules_pb2.BINDING_STATE_PENDING, rules_pb2.BINDING_STATE_ACTIVE


async def bind(world: World, who: str, parent: str, principal: str, role: str = "roles/viewer", **more: str) -> rules_pb2.Binding:
    wanted = rules_pb2.Binding(principal=principal, role=role, scope=more.pop("scope", ""))
    return (await world.half.rules.create_binding(world.actor(who), parent, more.pop("identity", ""), wanted)).value


async def may(world: World, who: str = "claims/nobody", resource: str = f"{SALES}/models/m") -> bool:
    try:
        await world.half.ask(world.secret(who), "models.get", resource)
    except MeshError as error:
        if error.reason_name != "ACTION_DENIED":
            raise
        return False
    return True


async def test_a_binding_of_a_foreign_principal_waits_for_its_domain(world: World) -> None:
    rules = world.half.rules
    bound = await bind(world, "sales/owner", SALES, THEIRS)
    assert bound.state == PENDING
    assert not await may(world)
    [listed], _ = await rules.foreign_bindings(CLAIMS, page_of(rules_pb2.ListBindingsRequest()))
    assert (listed.name, listed.state) == (bound.name, PENDING)
    assert (await refusal(rules.accept_binding(world.actor("claims/owner"), bound.name, ABSENT))).reason_name == "NOT_FOUND"
    accepted = await rules.accept_binding(world.actor("claims/owner"), bound.name, THEIRS)
    assert accepted.value.state == ACTIVE
    assert await may(world)
    again = await rules.accept_binding(world.actor("claims/owner"), bound.name, THEIRS)
    assert again.revision == accepted.revision
    await rules.reject_binding(world.actor("claims/owner"), bound.name, THEIRS)
    assert not await may(world)
    assert (await refusal(rules.reject_binding(world.actor("claims/owner"), bound.name, THEIRS))).reason_name == "NOT_FOUND"


async def test_a_domain_accepts_and_rejects_only_what_names_its_principal(world: World) -> None:
    """With a principal of one's own, whose name opens the method, no binding of anybody else is accepted or deleted."""
    rules, owner = world.half.rules, world.actor("claims/owner")
    pending = await bind(world, "sales/owner", SALES, THEIRS)
    for name in (pending.name, f"{SALES}/bindings/owner", f"{CLAIMS}/bindings/app", f"{SALES}/bindings/none"):
        for attempt in (rules.accept_binding, rules.reject_binding):
            assert (await refusal(attempt(owner, name, f"{CLAIMS}/principals/app"))).reason_name == "NOT_FOUND", name
    assert not await may(world)


async def test_consent_ends_where_the_binding_grants_something_else(world: World) -> None:
    bound = await bind(world, "sales/owner", SALES, THEIRS)
    await world.half.rules.accept_binding(world.actor("claims/owner"), bound.name, THEIRS)
    wanted = rules_pb2.Binding(name=bound.name, principal=THEIRS, role="roles/viewer", scope=f"{SALES}/projects/triage")
    request = rules_pb2.ApplyPolicyRequest(parent=SALES, bindings=[wanted])
    await world.half.applying.apply(world.actor("sales/owner"), request)
    assert not await may(world)
    assert not await may(world, resource=f"{SALES}/projects/triage/models/m")


async def test_nobody_writes_the_state_of_a_binding(world: World) -> None:
    wanted = rules_pb2.Binding(name=f"{SALES}/bindings/b", principal=THEIRS, role="roles/viewer", state=ACTIVE)
    await world.half.applying.apply(world.actor("sales/owner"), rules_pb2.ApplyPolicyRequest(parent=SALES, bindings=[wanted]))
    assert not await may(world)
    made = (await world.half.rules.create_binding(world.actor("sales/owner"), SALES, "", wanted)).value
    assert made.state == PENDING


async def test_who_administers_both_domains_needs_no_second_step(world: World) -> None:
    assert (await bind(world, "admin", SALES, THEIRS)).state == ACTIVE
    assert await may(world)
    assert (await refusal(bind(world, "admin", SALES, ABSENT))).field == "binding.principal"


async def test_foreign_bindings_of_earlier_builds_wait_but_those_of_the_platform_hold(world: World) -> None:
    made = {"domains/sales": False, "domains/platform": True}
    for parent, holds in made.items():
        bound = await bind(world, "admin", parent, THEIRS, identity="old", scope=SALES if parent == "domains/platform" else "")
        bound.state = rules_pb2.BINDING_STATE_UNSPECIFIED
        await world.half.store.change(lambda transaction, bound=bound: BINDINGS.save(transaction, bound, "binding"))  # type: ignore[misc]
        await world.half.live.refresh()
        assert await may(world) is holds, parent
        await world.half.rules.delete_binding(ADMIN, bound.name)


@pytest.mark.parametrize("who", ["sales/owner", "sales/dev"])
async def test_bindings_elsewhere_tell_nothing_of_who_exists(world: World, who: str) -> None:
    """Both are refused alike, or both are made and wait."""

    async def ended(principal: str) -> tuple[str, str, int]:
        try:
            bound = await bind(world, who, SALES, principal, identity=principal.rpartition("/")[2])
        except MeshError as error:
            return error.reason_name, error.message.replace(principal.rpartition("/")[2], "*"), 0
        return "", "", bound.state

    assert await ended(THEIRS) == await ended(ABSENT)


async def test_no_other_answer_tells_of_who_exists_elsewhere(world: World) -> None:
    owner, half = world.actor("sales/owner"), world.half
    await bind(world, "admin", "domains/platform", THEIRS, role="roles/auditor", scope="*")

    def key(principal: str) -> Awaitable[object]:
        return half.keyring.create(owner, f"{SALES}/projects/triage", identity_pb2.Key(principal=principal))

    def apply(principal: str) -> Awaitable[object]:
        wanted = rules_pb2.Binding(name=f"{SALES}/bindings/x", principal=principal, role="roles/viewer")
        return half.applying.apply(owner, rules_pb2.ApplyPolicyRequest(parent=SALES, bindings=[wanted], dry_run=True))

    def explain(principal: str) -> Awaitable[object]:
        request = rules_pb2.ExplainRequest(parent=SALES, principal=principal, action="models.get", resource="models/m")
        return half.explaining.explain(owner, request)

    asking: list[Callable[[str], Awaitable[object]]] = [key, apply, explain]
    for ask in asking:
        assert await _shown(ask(THEIRS)) == await _shown(ask(ABSENT)), ask.__name__


async def _shown(asking: Awaitable[object]) -> str:
    try:
        return str(await asking)
    except MeshError as error:
        return str(error)


async def test_what_others_grant_takes_no_principal_from_its_own_administrator(world: World) -> None:
    owner, half = world.actor("claims/owner"), world.half
    bound = await bind(world, "sales/owner", SALES, THEIRS, role="roles/domain-admin")
    await half.rules.accept_binding(owner, bound.name, THEIRS)
    made = await half.keyring.create(owner, f"{CLAIMS}/projects/triage", identity_pb2.Key(principal=THEIRS))
    await half.keyring.rotate(owner, made.key.name, None)
    await half.directory.update_principal(owner, identity_pb2.Principal(name=THEIRS, disabled=True), FieldMask())
    await half.keyring.revoke(owner, made.key.name)


async def test_what_the_platform_grants_counts(world: World) -> None:
    owner, half = world.actor("claims/owner"), world.half
    bound = await bind(world, "admin", "domains/platform", THEIRS, role="roles/platform-admin", scope="*")
    wanted = identity_pb2.Key(principal=THEIRS)
    for attempt in (
        half.keyring.create(owner, f"{CLAIMS}/projects/triage", wanted),
        half.keyring.rotate(owner, world.keys["claims/nobody"].key.name, None),
        half.keyring.revoke(owner, world.keys["claims/nobody"].key.name),
        half.directory.update_principal(owner, identity_pb2.Principal(name=THEIRS, disabled=True), FieldMask()),
        half.rules.reject_binding(owner, bound.name, THEIRS),
    ):
        assert (await refusal(attempt)).reason_name == "ESCALATION_DENIED"


async def test_who_holds_less_takes_nothing_from_who_holds_more(world: World) -> None:
    """An administrator of keys, roles and bindings, who holds nothing else, and what belongs to the domain's owner."""
    half, helper = world.half, world.actor("claims/nobody")
    role = rules_pb2.Role(
        name=f"{CLAIMS}/roles/helper", permissions=[rules_pb2.Permission(actions=["keys.*", "bindings.*", "roles.*", "policy.apply"])]
    )
    await half.rules.put_role(ADMIN, role)
    await bind(world, "admin", CLAIMS, THEIRS, role=role.name)
    rich = rules_pb2.Role(name=f"{CLAIMS}/roles/rich", permissions=[rules_pb2.Permission(actions=["models.*"])])
    await half.rules.put_role(ADMIN, rich)
    replaced = rules_pb2.Binding(name=f"{CLAIMS}/bindings/owner", principal=f"{CLAIMS}/principals/dev", role=role.name)
    attempts = {
        "revoke": half.keyring.revoke(helper, world.keys["claims/owner"].key.name),
        "delete binding": half.rules.delete_binding(helper, f"{CLAIMS}/bindings/owner"),
        "replace binding": half.applying.apply(helper, rules_pb2.ApplyPolicyRequest(parent=CLAIMS, bindings=[replaced])),
        "empty role": half.rules.put_role(helper, rules_pb2.Role(name=rich.name)),
        "delete role": half.rules.delete_role(helper, rich.name),
    }
    for what, attempt in attempts.items():
        assert (await refusal(attempt)).reason_name == "ESCALATION_DENIED", what
    await half.keyring.revoke(helper, world.keys["claims/nobody"].key.name)  # one's own


async def test_a_role_that_waits_for_consent_is_in_use(world: World) -> None:
    role = rules_pb2.Role(name=f"{SALES}/roles/r", permissions=[rules_pb2.Permission(actions=["models.get"])])
    await world.half.rules.put_role(world.actor("sales/owner"), role)
    await bind(world, "sales/owner", SALES, THEIRS, role=role.name)
    assert (await refusal(world.half.rules.delete_role(world.actor("sales/owner"), role.name))).reason_name == "IN_USE"


async def explained(world: World, who: str = "claims/owner", **fields: str) -> rules_pb2.ExplainResponse:
    asked = {"parent": CLAIMS, "principal": f"{CLAIMS}/principals/app", "action": "models.generate", "resource": "models/gpt-4.1"}
    return await world.half.explaining.explain(world.actor(who), rules_pb2.ExplainRequest(**{**asked, **fields}))


def reasons(answer: rules_pb2.ExplainResponse) -> list[str]:
    return [errors_pb2.ErrorReason.Name(each.reason).removeprefix("ERROR_REASON_") for each in answer.obstacles]


async def test_an_explanation_says_what_the_request_would_get(world: World) -> None:
    half, app = world.half, f"{CLAIMS}/principals/app"
    assert (await explained(world)).allowed
    assert reasons(await explained(world, action="policy.admit", resource="policy")) == ["ACTION_DENIED"]
    assert reasons(await explained(world, action="keys.create")) == ["ACTION_DENIED"]
    key = world.keys["claims/app"].key.name
    assert (await explained(world, key=key)).allowed
    assert reasons(await explained(world, key=world.keys["claims/dev"].key.name)) == ["INVALID_CREDENTIAL"]
    elsewhere = f"{CLAIMS}/projects/intake/models/gpt-4.1"
    assert reasons(await explained(world, resource=elsewhere)) == ["PROJECT_NOT_SELECTED"]
    triage = identity_pb2.Project(name=f"{CLAIMS}/projects/triage", allowed_models=["sim-*"])
    await half.directory.update_project(ADMIN, triage, FieldMask())
    assert reasons(await explained(world, resource=f"{CLAIMS}/projects/triage/models/gpt-4.1")) == ["MODEL_DENIED"]
    assert (await explained(world, resource=f"{CLAIMS}/projects/triage/models/sim-echo")).allowed
    await half.directory.update_principal(ADMIN, identity_pb2.Principal(name=app, disabled=True), FieldMask())
    assert "INVALID_CREDENTIAL" in reasons(await explained(world))
    await half.directory.update_principal(ADMIN, identity_pb2.Principal(name=app), FieldMask(paths=["disabled"]))
    await half.keyring.revoke(ADMIN, key)
    assert reasons(await explained(world, resource="models/sim-echo")) == ["INVALID_CREDENTIAL"]
    assert not (await explained(world, resource="models/sim-echo")).allowed


async def test_an_explanation_knows_the_floor(world: World) -> None:
    from tests.policy.test_floors import floor  # noqa: PLC0415 (only here)

    await world.half.flooring.put(ADMIN, floor(data_classes=["public"]))
    assert reasons(await explained(world)) == ["FLOOR_CONFLICT"]


async def test_an_explanation_shows_no_bindings_that_the_caller_may_not_list(world: World) -> None:
    app = f"{CLAIMS}/principals/app"
    await bind(world, "admin", "domains/platform", app, role="roles/auditor", scope="*")
    await bind(world, "sales/owner", SALES, app)
    mine = await explained(world, action="auditRecords.list", resource="auditRecords")
    assert mine.allowed
    assert not mine.grounds
    assert {binding.name.split("/")[1] for binding in mine.considered} <= {"claims", "shared"}
    theirs = await explained(world, who="admin", action="auditRecords.list", resource="auditRecords")
    assert [each.binding.role for each in theirs.grounds] == ["roles/auditor"]
