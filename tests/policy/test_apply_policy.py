"""A wanted state is reached whole or not at all, and only by who may make each of its changes."""

from __future__ import annotations

import pytest

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from llm_mesh_policy.domain.resources import StoredResource, Transaction
from tests.policy.conftest import ADMIN, Half, World, wanted_world
from tests.policy.refusals import refusal

CREATE, UPDATE, NONE = (
    resources_pb2.CHANGE_ACTION_CREATE,
    resources_pb2.CHANGE_ACTION_UPDATE,
    resources_pb2.CHANGE_ACTION_NONE,
)


async def contents(half: Half) -> dict[str, list[StoredResource]]:
    found = await half.store.contents(0)
    assert found is not None
    return found.rows


async def test_applying_twice_changes_nothing(world: World) -> None:
    wanted = wanted_world("house")
    first = await world.half.applying.apply(ADMIN, wanted)
    assert {change.action for change in first.changes} == {CREATE}
    assert [change.resource for change in first.changes][:2] == ["domains/house", "domains/house/projects/triage"]
    assert first.revision == world.half.live.snapshot().revision
    second = await world.half.applying.apply(ADMIN, wanted)
    assert {change.action for change in second.changes} == {NONE}
    assert second.revision == 0
    assert world.half.live.snapshot().revision == first.revision


async def test_a_dry_run_says_what_would_change_and_changes_nothing(world: World) -> None:
    wanted = wanted_world("claims")
    wanted.domains[0].display_name = "Damage"
    wanted.dry_run = True
    before = await contents(world.half)
    answer = await world.half.applying.apply(ADMIN, wanted)
    change = answer.changes[0]
    assert (change.resource, change.action) == ("domains/claims", UPDATE)
    assert [(field.path, field.before, field.after) for field in change.fields] == [("display_name", "Claims", "Damage")]
    assert {other.action for other in answer.changes[1:]} == {NONE}
    assert answer.revision == 0
    assert await contents(world.half) == before


async def test_one_mistake_undoes_everything(world: World) -> None:
    wanted = wanted_world("house")
    wanted.bindings[2].role = "roles/none"
    before = await contents(world.half)
    error = await refusal(world.half.applying.apply(ADMIN, wanted))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", "bindings[2].role")
    assert await contents(world.half) == before


async def test_who_owns_a_domain_applies_within_it_only(world: World) -> None:
    inside = rules_pb2.ApplyPolicyRequest(
        parent="domains/claims",
        projects=[identity_pb2.Project(name="domains/claims/projects/new")],
        roles=[rules_pb2.Role(name="domains/claims/roles/r", permissions=[rules_pb2.Permission(actions=["models.get"])])],
        principals=[identity_pb2.Principal(name="domains/claims/principals/new")],
        bindings=[
            rules_pb2.Binding(name="domains/claims/bindings/new", principal="domains/claims/principals/new", role="domains/claims/roles/r")
        ],
    )
    answer = await world.half.applying.apply(world.actor("claims/owner"), inside)
    assert {change.action for change in answer.changes} == {CREATE}
    outside = rules_pb2.ApplyPolicyRequest(
        parent="domains/claims",
        projects=[identity_pb2.Project(name="domains/claims/projects/a"), identity_pb2.Project(name="domains/sales/projects/a")],
    )
    error = await refusal(world.half.applying.apply(world.actor("claims/owner"), outside))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", "projects[1].name")


async def test_applying_needs_the_right_of_each_change(world: World) -> None:
    wanted = rules_pb2.ApplyPolicyRequest(parent="domains/claims", projects=[identity_pb2.Project(name="domains/claims/projects/new")])
    error = await refusal(world.half.applying.apply(world.actor("claims/dev"), wanted))
    assert (error.reason_name, error.metadata["action"]) == ("ACTION_DENIED", "projects.create")


async def test_applying_gives_nothing_that_its_caller_does_not_hold(world: World) -> None:
    for binding in (
        rules_pb2.Binding(name="domains/claims/bindings/x", principal="domains/claims/principals/dev", role="roles/platform-admin"),
        rules_pb2.Binding(name="domains/claims/bindings/dev", principal="domains/claims/principals/dev", role="roles/platform-admin"),
    ):
        wanted = rules_pb2.ApplyPolicyRequest(parent="domains/claims", bindings=[binding])
        assert (await refusal(world.half.applying.apply(world.actor("claims/owner"), wanted))).reason_name == "ESCALATION_DENIED"
    role = rules_pb2.Role(name="domains/claims/roles/r", permissions=[rules_pb2.Permission(actions=["*"])])
    wanted = rules_pb2.ApplyPolicyRequest(parent="domains/claims", roles=[role])
    assert (await refusal(world.half.applying.apply(world.actor("claims/owner"), wanted))).reason_name == "ESCALATION_DENIED"


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (rules_pb2.ApplyPolicyRequest(parent="nonsense"), "parent"),
        (rules_pb2.ApplyPolicyRequest(domains=[identity_pb2.Domain(name="domains/-")]), "domains[0].name"),
        (rules_pb2.ApplyPolicyRequest(domains=[identity_pb2.Domain(name="x")]), "domains[0].name"),
        (rules_pb2.ApplyPolicyRequest(projects=[identity_pb2.Project(name="domains/none/projects/p")]), "projects[0].name"),
        (
            rules_pb2.ApplyPolicyRequest(principals=[identity_pb2.Principal(name="domains/claims/principals/x", display_name="x" * 300)]),
            "principals[0].display_name",
        ),
        (rules_pb2.ApplyPolicyRequest(roles=[rules_pb2.Role(name="roles/viewer")]), "roles[0].name"),
    ],
)
async def test_the_wrong_element_is_named(world: World, wanted: rules_pb2.ApplyPolicyRequest, field: str) -> None:
    request = rules_pb2.ApplyPolicyRequest(parent="domains/platform")
    request.MergeFrom(wanted)
    error = await refusal(world.half.applying.apply(ADMIN, request))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", field)


async def test_each_change_is_on_record_and_a_dry_run_is_not(world: World) -> None:
    def count(transaction: Transaction) -> int:
        return len(transaction.page_audit("domains/house", "", 0, 100))

    wanted = wanted_world("house")
    wanted.dry_run = True
    await world.half.applying.apply(ADMIN, wanted)
    assert await world.half.store.read(count) == 0
    wanted.dry_run = False
    answer = await world.half.applying.apply(ADMIN, wanted)
    assert await world.half.store.read(count) == len(answer.changes)


@pytest.mark.parametrize("collection", ["budgets", "limits"])
async def test_budgets_and_limits_need_their_own_right(world: World, collection: str) -> None:
    """Who may apply and nothing more changes no budget and no limit, not even by a dry run."""
    name = "domains/claims/roles/applier"
    await world.half.rules.put_role(ADMIN, rules_pb2.Role(name=name, permissions=[rules_pb2.Permission(actions=["policy.apply"])]))
    wanted = rules_pb2.Binding(principal="domains/claims/principals/nobody", role=name)
    await world.half.rules.create_binding(ADMIN, "domains/claims", "", wanted)
    request = rules_pb2.ApplyPolicyRequest(parent="domains/claims", dry_run=True)
    if collection == "budgets":
        request.budgets.add(name="domains/claims/projects/triage/budget")
    else:
        request.limits.add(name="domains/claims/limits/l")
    error = await refusal(world.half.applying.apply(world.actor("claims/nobody"), request))
    assert (error.reason_name, error.metadata["action"]) == ("ACTION_DENIED", f"{collection}.put")
    await world.half.applying.apply(world.actor("claims/owner"), request)
