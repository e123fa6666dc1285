"""Requests that meet the ledger at the same time are decided one after the other, whatever is read and written at once."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection

from llm_mesh.policy.v1 import policy_pb2, usage_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain.ports import Settled
from llm_mesh_policy.ledger.domain.reservation import Reservation
from llm_mesh_policy.ledger.store import entry_rows
from llm_mesh_policy.ledger.store.loading import ViewLoader
from llm_mesh_policy.ledger.store.look import look
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.policy.ledger_world import PROJECT, World, attempt, line, worst

SETTLED = usage_pb2.RESERVATION_STATE_SETTLED


@pytest.fixture
async def world(database: Database) -> World:
    return await World(database).ready()


def reasons(answers: Sequence[object]) -> list[str]:
    return [answer.reason_name if isinstance(answer, MeshError) else "" for answer in answers]


async def test_a_budget_for_three_holds_three_of_a_group_and_names_the_others_in_the_audit(world: World) -> None:
    await world.budget(3 * worst())
    world.identity.audit.clear()
    answers = await asyncio.gather(*(world.reserve() for _ in range(8)), return_exceptions=True)
    assert sorted(reasons(answers)) == [""] * 3 + ["BUDGET_EXCEEDED"] * 5
    assert await world.standing() == (0, 3 * worst())
    assert [entry.allowed for entry in world.identity.audit].count(True) == 3
    assert len(world.identity.audit) == 8


async def test_what_a_settlement_frees_the_next_of_its_group_may_hold(world: World) -> None:
    await world.budget(worst())
    granted = await world.reserve()
    settled, again = await asyncio.gather(world.settle(granted), world.reserve())
    assert settled.entry.charged.nanos == 0
    assert again.held.reservation.entry.reserved.nanos == worst()
    assert await world.standing() == (0, worst())


async def test_what_a_settlement_frees_an_attempt_more_may_hold_whose_meters_are_read_later(world: World) -> None:
    """An extension's subjects are known only once its reservation is read: the meter is read behind a posting to it."""
    await world.budget(2 * worst())
    request = world.reserve_request()
    first, kept = await world.reserve(), await world.reserving.reserve(request)
    more = policy_pb2.ExtendRequest(reservation_id=kept.held.reservation.id, admission=request.admission, attempt=attempt("b"))
    settled, extended = await asyncio.gather(world.settle(first), world.reserving.extend(more))
    assert settled.entry.charged.nanos == 0
    assert extended.held.reservation.entry.reserved.nanos == 2 * worst()
    assert await world.standing() == (0, 2 * worst())


async def test_a_request_made_and_given_back_in_one_group_is_one_event_and_holds_nothing(world: World) -> None:
    await world.budget(10 * worst())
    request = world.reserve_request()
    granted, state = await asyncio.gather(world.reserving.reserve(request), world.lifecycle.release(request.reservation_id))
    assert state == usage_pb2.RESERVATION_STATE_RELEASED
    assert granted.held.reservation.id == request.reservation_id.lower()
    assert await world.standing() == (0, 0)
    events = await world.reading.after(0, 10)
    assert [(event.version, event.entry.state) for event in events] == [(2, usage_pb2.RESERVATION_STATE_RELEASED)]


async def test_an_early_release_and_its_reserve_in_one_group_leave_a_tombstone(world: World) -> None:
    request = world.reserve_request()
    answers = await asyncio.gather(
        world.lifecycle.release(request.reservation_id), world.reserving.reserve(request), return_exceptions=True
    )
    assert reasons(answers) == ["", "RESERVATION_RELEASED"]


async def test_the_same_reserve_twice_in_one_group_is_one_reservation(world: World) -> None:
    await world.budget(10 * worst())
    request = world.reserve_request()
    first, second = await asyncio.gather(world.reserving.reserve(request), world.reserving.reserve(request))
    assert first.held.reservation.id == second.held.reservation.id
    assert await world.standing() == (0, worst())


async def test_one_idempotency_key_in_one_group_lets_one_through(world: World) -> None:
    requests = [world.reserve_request(idempotency_key="k", request_digest=b"d" * 32) for _ in range(2)]
    answers = await asyncio.gather(*(world.reserving.reserve(each) for each in requests), return_exceptions=True)
    assert sorted(reasons(answers)) == ["", "IDEMPOTENCY_IN_PROGRESS"]


async def test_a_report_that_is_wrong_harms_no_neighbour(world: World) -> None:
    granted = [await world.reserve() for _ in range(3)]
    lines = [line(), line("unknown"), line()]
    answers = await asyncio.gather(
        *(world.settle(each, report) for each, report in zip(granted, lines, strict=True)), return_exceptions=True
    )
    assert reasons(answers) == ["", "INVALID_FIELD", ""]
    assert (await world.settle(granted[1], line())).entry.state == SETTLED


async def test_where_the_audit_fails_nothing_of_a_group_stands(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: Connection, entries: Sequence[AuditEntry]) -> None:
        raise OSError("no audit")

    await world.budget(10 * worst())
    monkeypatch.setattr(world.identity, "extend_audit", broken)
    answers = await asyncio.gather(*(world.reserve() for _ in range(4)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [OSError] * 4
    assert await world.standing() == (0, 0)
    assert not await world.reading.after(0, 10)


async def test_where_one_breaks_a_group_its_neighbours_are_done_by_themselves(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first try has changed in memory must not be what the second one starts from."""
    granted = [await world.reserve() for _ in range(3)]
    changed = entry_rows.changed_row
    bad = granted[2].held.reservation.id

    def breaking(reservation: Reservation, sequence: int) -> tuple[object, ...]:
        if reservation.id == bad:
            raise ZeroDivisionError
        return changed(reservation, sequence)

    given: list[Reservation | None] = []
    find = ViewLoader.find

    def finding(loader: ViewLoader, reservation_id: str, known: Reservation | None = None) -> Reservation | None:
        if reservation_id not in loader.view.reservations:
            given.append(known)
        return find(loader, reservation_id, known)

    monkeypatch.setattr(ViewLoader, "find", finding)
    monkeypatch.setattr(entry_rows, "changed_row", breaking)
    answers = await asyncio.gather(*(world.settle(each, line()) for each in granted), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Settled, Settled, ZeroDivisionError]
    assert [answer.repeated for answer in answers[:2] if isinstance(answer, Settled)] == [False, False]
    assert given == [each.held.reservation for each in granted] + [None] * 3
    monkeypatch.setattr(entry_rows, "changed_row", changed)
    assert not (await world.settle(granted[2], line())).repeated


async def test_the_row_decides_where_another_instance_has_changed_what_this_one_remembers(world: World) -> None:
    other = World(world.database)
    granted = await world.reserve()
    theirs = await other.lifecycle.settle(granted.held.reservation.id, [line(outputs=10)])
    ours = await world.settle(granted, line(outputs=99))
    assert (ours.repeated, ours.entry) == (True, theirs.entry)


async def test_a_budget_that_came_after_a_reservation_is_charged_by_its_settlement(world: World) -> None:
    """The row's holds have changed, its version has not: what is remembered of it counts no more."""
    granted = await world.reserve()
    await world.budget(10 * worst())
    assert await world.standing() == (0, worst())
    settled = await world.settle(granted, line())
    assert await world.standing() == (settled.entry.charged.nanos, 0)


async def test_a_settlement_of_what_is_remembered_parses_nothing_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    granted = await world.reserve()
    monkeypatch.setattr(entry_rows, "reservation_of", lambda _row: pytest.fail("it was read back"))
    assert (await world.settle(granted, line())).entry.state == SETTLED


async def test_a_look_sees_marks_and_meters_and_the_newest_sequence(world: World) -> None:
    await world.budget(10 * worst())
    first, second = await world.reserve(), await world.reserve(attempt("a"), attempt("b"))
    ids = [each.held.reservation.id for each in (first, second)]
    seen = await world.database.read(lambda connection: look(connection, [*ids, "none"], [PROJECT, "nobody"]))
    assert seen.sequence == 2
    assert seen.marks == {each.held.reservation.id: entry_rows.mark_of(each.held.reservation) for each in (first, second)}
    assert [(meter.name, meter.held) for meter in seen.meters] == [(f"{PROJECT}/budget", 3 * worst())]
