"""How reservations end otherwise: lost gateways, late truths, retries, extensions."""

import asyncio

import pytest

from llm_mesh.policy.v1 import policy_pb2, usage_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain.lifecycle import LOST_AFTER, Sweep
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import digest_of
from tests.policy.ledger_world import DOMAIN, PRICE, PROJECT, World, attempt, line, ulid, worst

ESTIMATED = usage_pb2.RESERVATION_STATE_ESTIMATED
SETTLED = usage_pb2.RESERVATION_STATE_SETTLED
SECOND = 1_000_000


@pytest.fixture
async def world(database: Database) -> World:
    made = await World(database).ready()
    await made.budget(1_000_000_000)
    return made


class MovedClock:
    """The store with a clock that tests move."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.ahead = 0

    async def now(self) -> int:
        return await self._world.ledger.now() + self.ahead

    async def estimate_lost(self, silent_since: int) -> int:
        return await self._world.ledger.estimate_lost(silent_since)

    async def forget(self, now: int) -> None:
        await self._world.ledger.forget(now)


async def beat(world: World, epoch: str, *, replaces: str = "", closing: bool = False) -> None:
    request = policy_pb2.HeartbeatRequest(epoch=epoch, instance="host", replaces_epoch=replaces, closing=closing)
    await world.lifecycle.heartbeat(request)


async def entry_of(world: World, reservation_id: str) -> usage_pb2.LedgerEntry:
    entry = await world.reading.entry(PROJECT, reservation_id.lower())
    assert entry is not None
    return entry


async def test_a_lost_epoch_is_charged_in_full_and_a_late_settlement_corrects_it(world: World) -> None:
    await beat(world, "e1")
    granted = await world.reserve(attempt("a"), attempt("b"))
    clock = MovedClock(world)
    sweep = Sweep(clock)
    assert await sweep.once() == 0
    clock.ahead = LOST_AFTER.seconds * SECOND + SECOND
    assert await sweep.once() == 1
    assert await world.standing() == (2 * worst(), 0)
    assert (await entry_of(world, granted.held.reservation.id)).state == ESTIMATED
    late = await world.settle(granted, line("a"))
    assert (late.entry.state, late.repeated) == (SETTLED, False)
    assert [(each.reason, each.amount.nanos) for each in late.entry.adjustments] == [("late_settlement", worst(500, 50) - 2 * worst())]
    assert await world.standing() == (worst(500, 50), 0)
    again = await world.settle(granted, line("a"))
    assert again.repeated
    assert again.entry == late.entry


async def test_an_epoch_that_beats_keeps_its_reservations(world: World) -> None:
    clock = MovedClock(world)
    sweep = Sweep(clock)
    await sweep.once()
    await world.reserve()
    await beat(world, "e1")
    clock.ahead = LOST_AFTER.seconds * SECOND - SECOND
    assert await sweep.once() == 0


async def test_the_sweep_waits_after_a_start_of_policy_itself(world: World) -> None:
    await world.reserve()
    clock = MovedClock(world)
    clock.ahead = 3600 * SECOND
    assert await Sweep(clock).once() == 0


async def test_a_replaced_epoch_is_charged_at_once_and_others_are_not(world: World) -> None:
    gone = await world.reserve()
    kept = await world.reserve(epoch="e2")
    await beat(world, "e3", replaces="e1")
    assert (await entry_of(world, gone.held.reservation.id)).state == ESTIMATED
    assert (await entry_of(world, kept.held.reservation.id)).state == usage_pb2.RESERVATION_STATE_HELD


async def test_a_closing_instance_leaves_nothing_held(world: World) -> None:
    await world.reserve()
    await beat(world, "e1", closing=True)
    assert await world.standing() == (worst(), 0)


async def test_reconciliation_replaces_an_estimate_and_leaves_an_audit_row(world: World) -> None:
    granted = await world.reserve()
    await beat(world, "e2", replaces="e1")
    audit = AuditEntry(domain=DOMAIN, action="reservations.reconcile", resource="x", allowed=True)
    entry = await world.ledger.reconcile(PROJECT, granted.held.reservation.id, [line()], audit)
    assert entry.charged.nanos == worst(500, 50)
    assert entry.adjustments[0].reason == "reconciliation"
    assert world.identity.audit[-1] == audit
    assert len(audit.before) == len(audit.after) == 32
    assert audit.before != audit.after == digest_of(entry)
    assert await world.standing() == (worst(500, 50), 0)
    with pytest.raises(MeshError):
        await world.ledger.reconcile(PROJECT, granted.held.reservation.id, [line()], audit)


async def test_a_provider_that_bills_more_than_reserved_is_paid_the_truth_and_flagged(world: World) -> None:
    granted = await world.reserve()
    settled = await world.settle(granted, line(inputs=1000, outputs=150))
    assert settled.entry.overrun
    assert settled.entry.lines[0].overrun
    assert await world.standing() == (worst(1000, 150), 0)


async def test_an_attempt_that_was_sent_without_a_report_is_charged_as_reserved(world: World) -> None:
    granted = await world.reserve(attempt("a"), attempt("b"))
    silent = usage_pb2.UsageLine(attempt_id="a", outcome=usage_pb2.ATTEMPT_OUTCOME_CANCELLED)
    failed = usage_pb2.UsageLine(attempt_id="b", outcome=usage_pb2.ATTEMPT_OUTCOME_FAILED)
    settled = await world.settle(granted, silent, failed)
    assert [(each.charge.nanos, each.usage.source) for each in settled.entry.lines] == [(worst(), usage_pb2.USAGE_SOURCE_ESTIMATED), (0, 0)]


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ([line("zz")], "lines[0].attempt_id"),
        ([line("a"), line("a")], "lines[1].attempt_id"),
        ([line("a", outcome=usage_pb2.ATTEMPT_OUTCOME_UNSPECIFIED)], "lines[0].outcome"),
    ],
)
async def test_a_settlement_that_does_not_fit_is_refused_by_field_and_changes_nothing(
    world: World, lines: list[usage_pb2.UsageLine], field: str
) -> None:
    granted = await world.reserve()
    with pytest.raises(MeshError) as refused:
        await world.settle(granted, *lines)
    assert refused.value.field == field
    assert await world.standing() == (0, worst())


async def test_settling_what_was_never_reserved_is_not_found(world: World) -> None:
    with pytest.raises(MeshError) as refused:
        await world.lifecycle.settle(ulid(), [])
    assert refused.value.reason_name == "RESERVATION_NOT_FOUND"


async def test_a_settled_reservation_can_be_neither_released_nor_extended(world: World) -> None:
    request = world.reserve_request()
    granted = await world.reserving.reserve(request)
    await world.settle(granted, line())
    for call in (
        world.lifecycle.release(request.reservation_id),
        world.reserving.extend(
            policy_pb2.ExtendRequest(reservation_id=request.reservation_id, admission=request.admission, attempt=attempt("b"))
        ),
    ):
        with pytest.raises(MeshError) as refused:
            await call
        assert refused.value.reason_name == "RESERVATION_SETTLED"


async def test_an_extension_holds_one_attempt_more_and_grants_it(world: World) -> None:
    request = world.reserve_request()
    await world.reserving.reserve(request)
    more = policy_pb2.ExtendRequest(reservation_id=request.reservation_id, admission=request.admission, attempt=attempt("b"))
    extended = await world.reserving.extend(more)
    repeated = await world.reserving.extend(more)
    assert extended.held.reservation.entry.reserved.nanos == repeated.held.reservation.entry.reserved.nanos == 2 * worst()
    assert await world.standing() == (0, 2 * worst())
    settled = await world.settle(extended, line("a"), line("b"))
    assert settled.entry.charged.nanos == 2 * worst(500, 50)
    assert await world.standing() == (2 * worst(500, 50), 0)


async def test_an_extension_by_another_admission_finds_nothing(world: World) -> None:
    granted = await world.reserve()
    more = policy_pb2.ExtendRequest(reservation_id=granted.held.reservation.id, admission=world.admission(), attempt=attempt("b"))
    with pytest.raises(MeshError) as refused:
        await world.reserving.extend(more)
    assert refused.value.reason_name == "RESERVATION_NOT_FOUND"


async def test_the_same_reserve_again_gets_the_same_grant_even_where_the_limit_is_full_by_now(world: World) -> None:
    await world.budget(worst())
    request = world.reserve_request()
    first = await world.reserving.reserve(request)
    second = await world.reserving.reserve(request)
    assert first.held.reservation.entry == second.held.reservation.entry
    assert await world.standing() == (0, worst())


async def test_a_reservation_id_of_another_request_is_refused(world: World) -> None:
    request = world.reserve_request()
    await world.reserving.reserve(request)
    with pytest.raises(MeshError) as refused:
        await world.reserve(wanted=request.reservation_id)
    assert refused.value.reason_name == "ALREADY_EXISTS"


async def test_a_key_revoked_after_admission_reserves_nothing(world: World) -> None:
    world.identity.revoked.add(f"{PROJECT}/keys/k1")
    with pytest.raises(MeshError) as refused:
        await world.reserve()
    assert refused.value.reason_name == "INVALID_CREDENTIAL"
    assert await world.standing() == (0, 0)
    assert world.identity.audit[-1].allowed is False


async def test_an_expired_admission_reserves_nothing_by_the_stores_clock(world: World) -> None:
    with pytest.raises(MeshError) as refused:
        await world.reserve(admission=world.admission(seconds=-1))
    assert refused.value.reason_name == "ADMISSION_EXPIRED"


async def test_sixty_four_at_once_never_overspend_and_leave_nothing_held(world: World) -> None:
    await world.budget(10 * worst())

    refusals: set[str] = set()

    async def one() -> bool:
        try:
            granted = await world.reserve()
        except MeshError as error:
            refusals.add(error.reason_name)
            return False
        spent, held = await world.standing()
        assert spent + held <= 10 * worst()
        await world.settle(granted, line(inputs=1000, outputs=100))
        return True

    passed = sum(await asyncio.gather(*(one() for _ in range(64))))
    assert (passed, refusals) == (10, {"BUDGET_EXCEEDED"})
    assert await world.standing() == (10 * worst(), 0)


async def test_the_price_is_the_one_that_was_quoted_even_where_the_registry_forgets_it(world: World) -> None:
    granted = await world.reserve()
    del world.registry.prices[PRICE]
    assert (await world.settle(granted, line())).entry.charged.nanos == worst(500, 50)
