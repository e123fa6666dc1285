"""Requests of which nothing was sent: why, in the ledger; and what screening did to them, also where nothing was ever reserved."""

from typing import Any

import pytest

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2, identity_pb2, policy_pb2, usage_pb2
from llm_mesh_policy.ledger.domain.ports import Why
from llm_mesh_policy.ledger.domain.refusing import Refusing
from llm_mesh_policy.ledger.domain.reservation import REFUSED, RELEASED
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.policy.ledger_world import PROJECT, World, attempt, ulid, worst

KEY: dict[str, Any] = {"idempotency_key": "k", "request_digest": b"d" * 32}
NOT_SENT = usage_pb2.ATTEMPT_OUTCOME_NOT_SENT


@pytest.fixture
async def world(database: Database) -> World:
    return await World(database).ready()


def unsent(name: str = "a", reason: str = "FIDELITY_LOST", field: str = "sampling.top_k") -> usage_pb2.UsageLine:
    return usage_pb2.UsageLine(attempt_id=name, outcome=NOT_SENT, error_reason=reason, error_field=field)


def masked(world: World) -> resources_pb2.Sealed:
    """An admission of a request in which screening found something."""
    admission = admission_pb2.Admission.FromString(world.admission().payload)
    admission.screened.add(detector="credit_card", masked=2, direction=usage_pb2.SCREENING_DIRECTION_REQUEST)
    return world.seals.sealed("llm_mesh.policy.v1.Admission", admission.SerializeToString(), "policy")


async def released(world: World, reservation_id: str, admission: resources_pb2.Sealed, **fields: str) -> usage_pb2.ReservationState:
    """What the gateway sends where a request ends before it is reserved."""
    refusal = policy_pb2.Refusal(admission=admission, request_id="r1", **({"reason": "NO_ELIGIBLE_TARGET", "decision_id": "d9"} | fields))
    request = policy_pb2.ReleaseRequest(reservation_id=reservation_id, epoch="e1", refusal=refusal)
    return await world.lifecycle.release(reservation_id, Refusing(world.seals).why(request))


async def entries(world: World) -> list[usage_pb2.LedgerEntry]:
    """As the events tell them, each once."""
    return list({event.entry.name: event.entry for event in await world.reading.after(0, 10)}.values())


def screenings(world: World) -> list[tuple[str, str, bool]]:
    return [(one.detail, one.request_id, one.allowed) for one in world.identity.audit if one.action == "requests.screen"]


async def test_attempts_that_no_adapter_sent_say_why_and_nothing_is_held_any_more(world: World) -> None:
    await world.budget(1_000_000_000)
    granted = await world.reserve(attempt("a"), attempt("b"))
    lines = [unsent("a"), unsent("b", "EXTRA_NOT_ALLOWED", "input.extras[openai.store]")]
    assert await world.lifecycle.release(granted.held.reservation.id, Why(lines)) == REFUSED
    assert await world.standing() == (0, 0)
    (entry,) = await entries(world)
    told = [(each.usage.error_reason, each.usage.error_field, each.endpoint, each.charge.nanos) for each in entry.lines]
    assert told == [("FIDELITY_LOST", "sampling.top_k", "openai", 0), ("EXTRA_NOT_ALLOWED", "input.extras[openai.store]", "openai", 0)]
    assert (entry.state, entry.charged.nanos, entry.reserved.nanos) == (REFUSED, 0, 2 * worst())
    assert await world.lifecycle.release(granted.held.reservation.id) == REFUSED, "a repeated call does nothing"


async def test_a_request_that_no_adapter_sent_leaves_its_idempotency_key_free(world: World) -> None:
    granted = await world.reserve(**KEY)
    await world.lifecycle.release(granted.held.reservation.id, Why([unsent()]))
    assert (await world.reserve(**KEY)).held.reservation.id != granted.held.reservation.id


USED = usage_pb2.UsageLine(attempt_id="a", outcome=NOT_SENT, error_reason="X", usage=generate_pb2.Usage(input_tokens=1))
WRONG = {
    "sent": usage_pb2.UsageLine(attempt_id="a", outcome=usage_pb2.ATTEMPT_OUTCOME_FAILED, error_reason="X"),
    "used": USED,
    "foreign": unsent("zz"),
    "without a reason": unsent(reason=""),
    "long": unsent(field="x" * 256),
    "control": unsent(reason="A\nB"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_lines_that_say_anything_else_change_nothing(world: World, wrong: usage_pb2.UsageLine) -> None:
    await world.budget(1_000_000_000)
    granted = await world.reserve()
    with pytest.raises(MeshError, match=r"lines\[0\]"):
        await world.lifecycle.release(granted.held.reservation.id, Why([wrong]))
    assert await world.standing() == (0, worst())
    assert await world.lifecycle.release(granted.held.reservation.id) == RELEASED


async def test_a_masked_request_that_was_never_reserved_has_an_entry_and_a_record(world: World) -> None:
    number = ulid().lower()
    assert await released(world, number, masked(world), field="input.tools") == REFUSED
    (entry,) = await entries(world)
    assert entry.name == f"{PROJECT}/reservations/{number}"
    assert (entry.state, entry.refused_reason, entry.refused_field, entry.decision_id) == (
        REFUSED, "NO_ELIGIBLE_TARGET", "input.tools", "d9",
    )  # fmt: skip
    assert (entry.alias, entry.request_id, entry.reserved.nanos, entry.charged.currency) == ("big", "r1", 0, "USD")
    assert [(each.detector, each.masked) for each in entry.screened] == [("credit_card", 2)]
    assert screenings(world) == [("credit_card masked 2", "r1", True)]
    await released(world, number, masked(world))
    assert len(screenings(world)) == 1, "a repeated call does nothing"
    with pytest.raises(MeshError, match="released"):
        await world.reserve(wanted=number)


async def test_what_holds_nothing_and_was_never_reserved_leaves_a_tombstone_only(world: World) -> None:
    assert await released(world, ulid().lower(), world.admission()) == RELEASED
    assert not await entries(world)
    assert not screenings(world)


async def test_a_masked_request_whose_reservation_may_stand_is_recorded_once(world: World) -> None:
    await world.budget(1_000_000_000)
    admission = masked(world)
    granted = await world.reserve(admission=admission, request_id="r1")
    assert await released(world, granted.held.reservation.id, admission, reason="PEER_UNAVAILABLE") == REFUSED
    assert await world.standing() == (0, 0)
    (entry,) = await entries(world)
    assert (entry.refused_reason, len(entry.screened)) == ("PEER_UNAVAILABLE", 1)
    assert len(screenings(world)) == 1


async def test_a_masked_request_that_limits_refuse_has_its_entry_in_the_same_transaction(world: World) -> None:
    await world.budget(worst() - 1)
    admission, number = masked(world), ulid()
    with pytest.raises(MeshError):
        await world.reserve(wanted=number, admission=admission, request_id="r1")
    (entry,) = await entries(world)
    assert (entry.state, entry.refused_reason, entry.reserved.nanos) == (REFUSED, "BUDGET_EXCEEDED", 0)
    assert screenings(world) == [("credit_card masked 2", "r1", True)]
    await released(world, number.lower(), admission, reason="BUDGET_EXCEEDED")
    assert len(await entries(world)) == len(screenings(world)) == 1, "the gateway tells the same once more"
    assert await world.standing() == (0, 0)


async def test_a_masked_repetition_of_a_request_is_recorded_too(world: World) -> None:
    await world.reserve(**KEY)
    with pytest.raises(MeshError) as repeated:
        await world.reserve(admission=masked(world), request_id="r2", **KEY)
    assert repeated.value.reason_name == "IDEMPOTENCY_IN_PROGRESS"
    assert [(one.refused_reason, one.request_id) for one in await entries(world) if one.state == REFUSED] == [
        ("IDEMPOTENCY_IN_PROGRESS", "r2")
    ]
    assert screenings(world) == [("credit_card masked 2", "r2", True)]


@pytest.mark.parametrize("fields", [{"reason": ""}, {"reason": "x" * 64}, {"field": "x" * 256}, {"decision_id": "x" * 65}], ids=str)
async def test_a_refusal_of_another_form_is_refused(world: World, fields: dict[str, str]) -> None:
    with pytest.raises(MeshError, match="refusal"):
        await released(world, ulid().lower(), masked(world), **fields)
    with pytest.raises(MeshError) as forged:
        await released(world, ulid().lower(), resources_pb2.Sealed(payload=masked(world).payload))
    assert forged.value.reason_name == "INVALID_SEAL"
    assert not await entries(world)


async def test_a_masked_repetition_that_gets_the_kept_answer_is_recorded_and_not_refused(world: World) -> None:
    world.identity.projects[PROJECT] = identity_pb2.Project(name=PROJECT, keep_answers=True)
    await world.keep(await world.reserve(**KEY))
    with pytest.raises(MeshError) as repeated:
        await world.reserve(admission=masked(world), request_id="r2", **KEY)
    assert repeated.value.metadata["answer"] == "kept"
    assert [one.state for one in await entries(world)] == [usage_pb2.RESERVATION_STATE_SETTLED]
    assert screenings(world) == [("credit_card masked 2", "r2", True)]
