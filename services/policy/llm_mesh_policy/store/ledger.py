"""The ledger on SQLite or PostgreSQL.

Every work begins by taking the ledger's lock, so that what it reads of meters stands until its commit, entries get their
place in the outbox in the order of commits, and no two works wait for each other. SQLite has one writer anyway. Refusals
leave a work as values: what they wrote (the audit row) is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from sqlalchemy import Connection, text

from llm_mesh.policy.v1 import errors_pb2, usage_pb2
from llm_mesh_policy.domain.audit import AuditEntry
from llm_mesh_policy.domain.errors import PolicyError
from llm_mesh_policy.domain.ledger import amounts, refusals
from llm_mesh_policy.domain.ledger.meters import Amounts, Fit, Hold, fit
from llm_mesh_policy.domain.ledger.ports import Draft, Held, Settled
from llm_mesh_policy.domain.ledger.quote import Line
from llm_mesh_policy.domain.ledger.reservation import (
    ESTIMATED,
    HELD,
    RELEASED,
    SETTLED,
    Reservation,
    already_settled,
    released,
    unknown,
)
from llm_mesh_policy.store import ledger_epochs, ledger_idempotency, ledger_meters, ledger_rows
from llm_mesh_runtime.database import Database, Prepared
from llm_mesh_runtime.errors import MeshError, already_exists

T = TypeVar("T")

_HOUR = 3600 * 1_000_000
_LOCK = Prepared(text("SELECT pg_advisory_xact_lock(4863451)"))


class Accounts(Protocol):
    """What the ledger asks of identity within its own transaction."""

    def check_live(self, connection: Connection, key: str) -> None:
        """Raises INVALID_CREDENTIAL unless the key counts now."""

    def append_audit(self, connection: Connection, entry: AuditEntry) -> int:
        """Adds an audit record; answers with its sequence."""


def lock(connection: Connection) -> None:
    """Lets one work at a time at the ledger, until its commit; taken again by the same work, it does nothing."""
    if connection.dialect.name == "postgresql":
        _LOCK.first(connection)


class SqlLedger:
    """`domain.ledger.ports.Ledger` in a `Database`."""

    def __init__(self, database: Database, accounts: Accounts, *, currency: str, changed: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._accounts = accounts
        self._currency = currency
        self._changed = changed

    async def reserve(self, draft: Draft) -> Held:
        return await self._decide(lambda connection: self._reserve(connection, draft))

    async def extend(self, reservation_id: str, admission_id: str, expires: int, line: Line) -> Held:
        return await self._decide(lambda connection: self._extend(connection, reservation_id, admission_id, expires, line))

    async def settle(self, reservation_id: str, lines: Sequence[usage_pb2.UsageLine]) -> Settled:
        return await self._decide(lambda connection: self._settle(connection, reservation_id, lines))

    async def release(self, reservation_id: str) -> usage_pb2.ReservationState:
        return await self._decide(lambda connection: self._release(connection, reservation_id))

    async def heartbeat(self, epoch: str, instance: str, replaces: str, *, closing: bool) -> int:
        def work(connection: Connection) -> int:
            now = self._locked(connection)
            ledger_epochs.seen(connection, epoch, instance, 0 if closing else now)
            for gone in ([replaces] if replaces and replaces != epoch else []) + ([epoch] if closing else []):
                ledger_epochs.seen(connection, gone, "", 0)
                while self._estimate(connection, [gone], now):
                    pass
            return now

        return await self._decide(work)

    async def now(self) -> int:
        """The store's time, in microseconds."""
        return await self._database.read(self._database.now)

    async def estimate_lost(self, silent_since: int) -> int:
        """Charges what epochs hold that were last heard of before a moment; answers how many reservations that were."""

        def work(connection: Connection) -> int:
            now = self._locked(connection)
            return self._estimate(connection, ledger_epochs.silent(connection, silent_since), now)

        lost = await self._database.read(lambda connection: ledger_epochs.silent(connection, silent_since))
        return await self._decide(work) if lost else 0

    async def forget(self, now: int) -> None:
        """Removes what has expired by itself."""

        def work(connection: Connection) -> None:
            ledger_idempotency.forget(connection, now)
            ledger_epochs.forget(connection, now - 24 * _HOUR)
            ledger_rows.exhume(connection, now - _HOUR)

        await self._database.write(work)

    async def reconcile(
        self, project: str, reservation_id: str, lines: Sequence[usage_pb2.UsageLine], audit: AuditEntry
    ) -> usage_pb2.LedgerEntry:
        """Writes the truth of an estimated entry, with an audit row."""

        def work(connection: Connection) -> usage_pb2.LedgerEntry | MeshError:
            now = self._locked(connection)
            found = ledger_rows.find(connection, reservation_id)
            if found is None or found.project != project:
                return unknown(reservation_id)
            ledger_meters.post(connection, found.reconcile(lines, now))
            ledger_rows.change(connection, found)
            self._accounts.append_audit(connection, audit)
            return found.entry

        return await self._decide(work)

    async def _decide(self, work: Callable[[Connection], T | MeshError]) -> T:
        result = await self._database.write(work)
        if isinstance(result, MeshError):
            raise result
        self._changed()
        return result

    def _locked(self, connection: Connection) -> int:
        lock(connection)
        return self._database.now(connection)

    def _reserve(self, connection: Connection, draft: Draft) -> Held | MeshError:
        now = self._locked(connection)
        wanted = draft.reservation
        refusal: MeshError | None = _expired() if draft.expires <= now else None
        if refusal is None and draft.idempotency_key:
            refusal = ledger_idempotency.refusal(connection, draft, now)
        if refusal is not None:
            return refusal
        fitting = self._fitting(connection, wanted, amounts.asked(wanted.lines, wanted.subjects), now)
        if isinstance(fitting, MeshError):
            # The id may be held already, by this very request: then its own hold must not refuse it.
            return self._repeated(connection, wanted, now) or self._refused(connection, wanted, fitting)
        made = replace(wanted, holds=fitting.holds)
        made.entry.reserve_time.FromMicroseconds(now)
        if not ledger_rows.insert(connection, made, draft.epoch):
            return self._repeated(connection, wanted, now) or already_exists(wanted.id)
        if draft.idempotency_key:
            ledger_idempotency.keep(connection, draft, now)
        return self._held(connection, made, fitting, now)

    def _fitting(self, connection: Connection, wanted: Reservation, asked: Amounts, now: int) -> Fit | MeshError:
        """What the meters say, if the key still counts."""
        try:
            self._accounts.check_live(connection, wanted.entry.key)
        except MeshError as dead:
            return dead
        fitting = fit(ledger_meters.binding(connection, wanted.domain, asked), asked, now)
        return refusals.exceeded(fitting.excesses, self._currency) if fitting.excesses else fitting

    def _held(self, connection: Connection, made: Reservation, fitting: Fit, now: int) -> Held:
        ledger_meters.stand(connection, fitting.meters)
        self._accounts.append_audit(connection, _record(made, allowed=True, detail=f"held {made.entry.reserved.nanos} nanos", now=now))
        return Held(made, refusals.statuses(fitting.meters, now), now)

    def _refused(self, connection: Connection, wanted: Reservation, why: MeshError) -> MeshError:
        self._accounts.append_audit(connection, _record(wanted, allowed=False, detail=str(why)))
        return why

    def _repeated(self, connection: Connection, wanted: Reservation, now: int) -> Held | MeshError | None:
        """The same `Reserve` again gets the same answer: its first one may have been lost on the way. None where it is the first."""
        earlier = ledger_rows.find(connection, wanted.id)
        if earlier is None:
            return None
        if earlier.entry.state == RELEASED:
            return released(wanted.id)
        if earlier.project != wanted.project or earlier.entry.admission_id != wanted.entry.admission_id:
            return already_exists(wanted.id)
        if earlier.entry.state in {SETTLED, ESTIMATED}:
            return already_settled(wanted.id)
        return Held(earlier, (), now) if earlier.lines == wanted.lines else already_exists(wanted.id)

    def _extend(self, connection: Connection, reservation_id: str, admission_id: str, expires: int, line: Line) -> Held | MeshError:
        now = self._locked(connection)
        found = ledger_rows.find(connection, reservation_id)
        refusal = _not_extended(found, reservation_id, admission_id) or (_expired() if expires <= now else None)
        if found is None or refusal is not None:
            return refusal or unknown(reservation_id)
        line = line.with_candidates(max(other.candidates for other in found.lines))
        if any(line.id == other.id for other in found.lines):
            return Held(found, (), now) if line in found.lines else already_exists(f"attempt {line.id}")
        fitting = self._fitting(connection, found, amounts.asked([line], found.subjects, beyond=found.lines), now)
        if isinstance(fitting, MeshError):
            return self._refused(connection, found, fitting)
        grown = replace(found, lines=(*found.lines, line), holds=_merged(found.holds, fitting.holds), version=found.version + 1)
        grown.entry.reserved.nanos += line.reserved
        ledger_rows.grow(connection, grown)
        ledger_rows.change(connection, grown)
        return self._held(connection, grown, fitting, now)

    def _settle(self, connection: Connection, reservation_id: str, lines: Sequence[usage_pb2.UsageLine]) -> Settled | MeshError:
        now = self._locked(connection)
        found = ledger_rows.find(connection, reservation_id)
        if found is None:
            return unknown(reservation_id)
        if found.entry.state == SETTLED:
            return Settled(found.entry, repeated=True)
        ledger_meters.post(connection, found.settle(lines, now))
        ledger_rows.change(connection, found)
        return Settled(found.entry, repeated=False)

    def _release(self, connection: Connection, reservation_id: str) -> usage_pb2.ReservationState | MeshError:
        now = self._locked(connection)
        found = ledger_rows.find(connection, reservation_id)
        if found is None:
            ledger_rows.bury(connection, reservation_id, now)
            return RELEASED
        if found.entry.state == RELEASED:
            return RELEASED
        ledger_meters.post(connection, found.release(now))
        ledger_rows.change(connection, found)
        return found.entry.state

    def _estimate(self, connection: Connection, lost: Sequence[str], now: int) -> int:
        held = ledger_epochs.held_by(connection, lost)
        for reservation in held:
            ledger_meters.post(connection, reservation.estimate(now))
            ledger_rows.change(connection, reservation)
        return len(held)


def _record(reservation: Reservation, *, allowed: bool, detail: str, now: int = 0) -> AuditEntry:
    entry = reservation.entry
    return AuditEntry(
        domain=reservation.domain,
        action="requests.reserve",
        resource=entry.name,
        allowed=allowed,
        principal=entry.principal,
        key=entry.key,
        detail=detail,
        request_id=entry.request_id,
        time=now,
    )


def _merged(before: Sequence[Hold], added: Sequence[Hold]) -> tuple[Hold, ...]:
    """One hold per meter. What is added stays in the window of the reservation, as everything that it uses."""
    merged = {hold.meter: hold for hold in before}
    for hold in added:
        earlier = merged.get(hold.meter)
        if earlier is None:
            merged[hold.meter] = hold
        elif (earlier.generation, earlier.window) == (hold.generation, hold.window):
            merged[hold.meter] = replace(earlier, amount=earlier.amount + hold.amount)
    return tuple(merged.values())


def _not_extended(found: Reservation | None, reservation_id: str, admission_id: str) -> PolicyError | None:
    if found is None or found.entry.admission_id != admission_id:
        return unknown(reservation_id)
    if found.entry.state == RELEASED:
        return released(reservation_id)
    return None if found.entry.state == HELD else already_settled(reservation_id)


def _expired() -> PolicyError:
    return PolicyError(errors_pb2.ERROR_REASON_ADMISSION_EXPIRED, "the admission has expired")
