"""A delegation does what its key may with models, in one project, for one service, and nothing once the key does not count."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import pytest

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import audit_pb2, policy_pb2
from llm_mesh.services import SERVICES
from llm_mesh_policy.domain.actor import Actor
from llm_mesh_policy.identity.domain.delegations import Delegations
from llm_mesh_runtime.access.table import CallTable
from tests.policy.conftest import ADMIN, World
from tests.policy.refusals import refusal

TRIAGE = "domains/claims/projects/triage"
METHODS = ("CreateDelegation", "RedeemDelegation")


class Log:
    """The audit trail."""

    def __init__(self) -> None:
        self.changes: list[audit_pb2.ChangeRecord] = []

    async def record(self, source: str, changes: Sequence[audit_pb2.ChangeRecord]) -> int:
        assert source == "batches"
        self.changes += changes
        return len(changes)


class Delegating:
    """Delegations of one key of a world."""

    def __init__(self, world: World, who: str = "claims/app") -> None:
        self.world = world
        self.who = who
        self.log = Log()
        self.delegations = Delegations(world.half.live, world.half.seals, self.log)

    async def create(self, *, hours: float = 25, caller: resources_pb2.Sealed | None = None) -> resources_pb2.Sealed:
        if caller is None:
            caller = (await self.world.half.ask(self.world.secret(self.who), "self.get", "self")).sealed_caller
        request = policy_pb2.CreateDelegationRequest(caller=caller, purpose="batches/batch-1")
        request.expire_time.FromMicroseconds(self.world.half.live.now() + int(hours * 3600e6))
        return await self.delegations.create("batches", request, "request-1")

    async def credential(self, service: str = "batches", **more: float) -> str:
        return (await self.delegations.redeem(service, await self.create(**more))).credential  # type: ignore[arg-type]


async def test_a_delegated_credential_is_the_key_in_its_project(world: World) -> None:
    delegating = Delegating(world)
    answer = await world.half.ask(await delegating.credential())
    direct = await world.half.ask(world.secret("claims/app"))
    for name in ("principal", "domain", "project", "key", "roles"):
        assert getattr(answer.caller, name) == getattr(direct.caller, name)
    assert answer.valid_for.ToMilliseconds() <= 1000
    assert answer.caller.expire_time.ToMicroseconds() <= world.half.live.now() + 60_000_000
    change = delegating.log.changes[0]
    assert (change.action, change.key, change.resource) == ("delegations.create", answer.caller.key, f"{TRIAGE}/batches/batch-1")


@pytest.mark.parametrize("action", ["projects.get", "keys.create", "prompts.render", "batches.create", "files.get", "models.list"])
async def test_it_uses_models_and_nothing_else(world: World, action: str) -> None:
    credential = await Delegating(world, "admin").credential()
    assert (await refusal(world.half.ask(credential, action, "domains/platform"))).reason_name == "ACTION_DENIED"


async def test_it_does_no_more_than_the_key(world: World) -> None:
    credential = await Delegating(world, "claims/nobody").credential()
    assert (await refusal(world.half.ask(credential))).reason_name == "ACTION_DENIED"


async def test_another_project_cannot_be_selected(world: World) -> None:
    credential = await Delegating(world).credential()
    assert (await refusal(world.half.ask(credential, project="intake"))).reason_name == "PROJECT_NOT_SELECTED"
    assert (await world.half.ask(credential, project="triage")).caller.project == TRIAGE


async def test_it_ends_with_the_key(world: World) -> None:
    delegating = Delegating(world)
    delegation = await delegating.create()
    credential = (await delegating.delegations.redeem("batches", delegation)).credential
    await world.half.keyring.revoke(ADMIN, world.keys["claims/app"].key.name)
    assert (await refusal(world.half.ask(credential))).reason_name == "INVALID_CREDENTIAL"
    assert (await refusal(delegating.delegations.redeem("batches", delegation))).reason_name == "INVALID_CREDENTIAL"


async def test_it_ends_with_the_binding_and_with_the_principal(world: World) -> None:
    credential = await Delegating(world).credential()
    await world.half.rules.delete_binding(_owner(world), "domains/claims/bindings/app")
    assert (await refusal(world.half.ask(credential))).reason_name == "ACTION_DENIED"


async def test_a_rotated_key_keeps_its_delegations(world: World) -> None:
    delegating = Delegating(world)
    delegation = await delegating.create()
    await world.half.keyring.rotate(ADMIN, world.keys["claims/app"].key.name, None)
    credential = (await delegating.delegations.redeem("batches", delegation)).credential
    assert (await world.half.ask(credential)).caller.project == TRIAGE


async def test_only_its_service_redeems_it_and_nobody_forges_it(world: World) -> None:
    delegating = Delegating(world)
    delegation = await delegating.create()
    assert (await refusal(delegating.delegations.redeem("console", delegation))).reason_name == "INVALID_SEAL"
    caller = (await world.half.ask(world.secret("claims/app"))).sealed_caller
    assert (await refusal(delegating.delegations.redeem("batches", caller))).reason_name == "INVALID_SEAL"
    assert (await refusal(delegating.create(caller=delegation))).reason_name == "INVALID_SEAL"
    for sealed in (delegation, caller):
        text = "md_" + base64.urlsafe_b64encode(sealed.SerializeToString()).decode()
        assert (await refusal(world.half.ask(text))).reason_name == "INVALID_CREDENTIAL"
    for text in ("md_", "md_!", "md_" + "A" * 4000, (await delegating.credential())[:-8], "md_\N{ARABIC-INDIC DIGIT FIVE}"):
        assert (await refusal(world.half.ask(text))).reason_name == "INVALID_CREDENTIAL"


@pytest.mark.parametrize("hours", [-1, 0, 49])
async def test_it_has_an_end_within_two_days(world: World, hours: float) -> None:
    error = await refusal(Delegating(world).create(hours=hours))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", "expire_time")


async def test_it_and_its_credential_end_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    delegating = Delegating(world)
    delegation = await delegating.create(hours=1)
    credential = (await delegating.delegations.redeem("batches", delegation)).credential
    now = world.half.live.now()
    monkeypatch.setattr(world.half.live, "now", lambda: now + 61_000_000)
    assert (await refusal(world.half.ask(credential))).reason_name == "INVALID_CREDENTIAL"
    monkeypatch.setattr(world.half.live, "now", lambda: now + 3_601_000_000)
    assert (await refusal(delegating.delegations.redeem("batches", delegation))).reason_name == "INVALID_SEAL"


def test_only_services_that_act_for_callers_ask_for_them() -> None:
    table = CallTable()
    acting = {each.name for each in SERVICES if each.acts_for_callers}
    assert "batches" in acting
    for service in (*(each.name for each in SERVICES), "console", "up"):
        for method in METHODS:
            assert table.allows(service, "policy", f"/llm_mesh.policy.v1.PolicyService/{method}") == (service in acting)


def _owner(world: World) -> Actor:
    return world.actor("claims/owner")
