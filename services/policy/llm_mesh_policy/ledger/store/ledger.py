"""The ledger on SQLite or PostgreSQL.

Every work begins by taking the ledger's lock, so that what it reads of meters stands until its commit, entries get their
place in the outbox in the order of commits, and no two works wait for each other. SQLite has one writer anyway. Refusals
leave a work as values: what they wrote (the audit row) is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from llm_mesh.policy.v1 import errors_pb2, usage_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.domain.errors import PolicyError, invalid_credential
from llm_mesh_policy.ledger.domain import amounts, refusals
from llm_mesh_policy.ledger.domain.limits import PLATFORM
from llm_mesh_policy.ledger.domain.meters import Fit, Hold, fit
from llm_mesh_policy.ledger.domain.ports import Draft, Held, Settled
from llm_mesh_policy.ledger.domain.quote import Line, within_bounds
from llm_mesh_policy.ledger.domain.reservation import (
    ESTIMATED,
    HELD,
    REFUSED,
    RELEASED,
    SETTLED,
    Reservation,
    already_settled,
    released,
    unknown,
)
from llm_mesh_policy.ledger.domain.speeds import Speeds
from llm_mesh_policy.ledger.store import charging, entry_rows, epoch_rows, idempotency_keys
from llm_mesh_policy.ledger.store.group import Accounts, Group
from llm_mesh_policy.ledger.store.requests import Extend, Refuse, Release, Request, Reserve, Settle
from llm_mesh_policy.screening.ports import REQUEST
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork
from llm_mesh_runtime.database import Database, PreparedStatement
from llm_mesh_runtime.errors import MeshError, already_exists
from llm_mesh_runtime.money import text as text_of
from llm_mesh_runtime.resources import digest_of

T = TypeVar("T")
A = TypeVar("A", Held, MeshError)

_MOST_RECENT = 4096
_HOUR = 3600 * 1_000_000
_LOCK = PreparedStatement(text("SELECT pg_advisory_xact_lock(4863451)"))


def lock(connection: Connection) -> None:
    """Lets one work at a time at the ledger, until its commit; taken again by the same work, it does nothing."""
    if connection.dialect.name == "postgresql":
        _LOCK.first(connection)


class SqlLedger:
    """`domain.ledger.ports.Ledger` in a `Database`."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        *,
        currency: str,
        changed: Callable[[], None] = lambda: None,
        speeds: Speeds | None = None,
        budget_required: bool = False,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._currency = currency
        self._changed = changed
        self._speeds = Speeds() if speeds is None else speeds
        self._budget_required = budget_required
        self._recent: dict[str, Reservation] = {}
        self._answers: Mapping[type, Callable[[Group, Any], object]] = {
            Reserve: self._reserve,
            Extend: self._extend,
            Settle: self._settle,
            Release: self._release,
            Refuse: self._refuse,
        }

    async def reserve(self, draft: Draft) -> Held:
        reservation = draft.reservation
        held: Held = await self._decide(Reserve(reservation.id, draft, amounts.bound(reservation.lines, reservation.subjects)))
        self._remember(held.reservation)
        return held

    async def extend(self, reservation_id: str, admission_id: str, expires: int, line: Line) -> Held:
        known = self._recent.pop(reservation_id, None)
        held: Held = await self._decide(Extend(reservation_id, known, admission_id, expires, line))
        self._remember(held.reservation)
        return held

    async def settle(
        self, reservation_id: str, lines: Sequence[usage_pb2.UsageLine], screened: Sequence[usage_pb2.ScreeningCount] = ()
    ) -> Settled:
        settled: Settled = await self._decide(Settle(reservation_id, self._recent.pop(reservation_id, None), lines, screened))
        return settled

    async def refuse(self, refused: Reservation, audit: AuditEntry) -> None:
        """Writes the entry of a request that screening refused, with its audit record."""
        await self._decide(Refuse(refused.id, refused, audit))

    async def release(self, reservation_id: str) -> usage_pb2.ReservationState:
        state: usage_pb2.ReservationState = await self._decide(Release(reservation_id, self._recent.pop(reservation_id, None)))
        return state

    async def heartbeat(self, epoch: str, instance: str, replaces: str, *, closing: bool) -> int:
        def work(connection: Connection) -> int:
            now = self._locked(connection)
            epoch_rows.seen(connection, epoch, instance, 0 if closing else now)
            for gone in ([replaces] if replaces and replaces != epoch else []) + ([epoch] if closing else []):
                epoch_rows.seen(connection, gone, "", 0)
                while self._estimate(connection, [gone], now):
                    pass
            return now

        return await self._alone(work)

    async def now(self) -> int:
        """The store's time, in microseconds."""
        return await self._database.read(self._database.now)

    async def estimate_lost(self, silent_since: int) -> int:
        """Charges what epochs hold that were last heard of before a moment; answers how many reservations that were."""

        def work(connection: Connection) -> int:
            now = self._locked(connection)
            return self._estimate(connection, epoch_rows.silent(connection, silent_since), now)

        lost = await self._database.read(lambda connection: epoch_rows.silent(connection, silent_since))
        return await self._alone(work) if lost else 0

    async def forget(self, now: int) -> None:
        """Removes what has expired by itself."""

        def work(connection: Connection) -> None:
            idempotency_keys.forget(connection, now)
            epoch_rows.forget(connection, now - 24 * _HOUR)
            entry_rows.purge_early_releases(connection, now - _HOUR)

        await self._database.write(work)

    async def reconcile(
        self, project: str, reservation_id: str, lines: Sequence[usage_pb2.UsageLine], audit: AuditEntry
    ) -> usage_pb2.LedgerEntry:
        """Writes the truth of an estimated entry, with an audit row."""

        def work(connection: Connection) -> usage_pb2.LedgerEntry | MeshError:
            group = Group(self._unit(connection), self._accounts, self._locked(connection))
            reservation = group.find(reservation_id)
            if reservation is None or reservation.project != project:
                return unknown(reservation_id)
            audit.before = digest_of(reservation.entry)
            charging.join(group, reservation)
            group.post(reservation.reconcile(lines, group.now))
            group.change(reservation)
            audit.after = digest_of(reservation.entry)
            group.record(audit)
            charging.close(group, reservation)
            group.write()
            return reservation.entry

        return await self._alone(work)

    async def _decide(self, request: Request) -> Any:  # noqa: ANN401 (each kind of work has an answer of its own)
        result = await self._database.write_together(self._together, request)
        self._changed()
        return result

    async def _alone(self, work: Callable[[Connection], T | MeshError]) -> T:
        result = await self._database.write(work)
        if isinstance(result, MeshError):
            raise result
        self._changed()
        return result

    def _together(self, connection: Connection, all_wanted: Sequence[Request]) -> list[object]:
        """What a group of requests wants of the ledger, in their order. Refusals are answers: they undo nothing of others."""
        group = Group(self._unit(connection), self._accounts, self._locked(connection))
        reserving = [request for request in all_wanted if isinstance(request, Reserve)]
        subjects: set[str] = set()
        if reserving:
            subjects.update([PLATFORM], *[request.subjects for request in reserving])
        group.see({request.id for request in all_wanted}, subjects, {request.draft.reservation.key for request in reserving})
        answers: list[object] = []
        for request in all_wanted:
            try:
                answers.append(self._answers[type(request)](group, request))
            except MeshError as refusal:  # raised before anything of it was written
                answers.append(refusal)
        group.write()
        return answers

    def _locked(self, connection: Connection) -> int:
        lock(connection)
        return self._database.now(connection)

    def _unit(self, connection: Connection) -> SqlUnitOfWork:
        return SqlUnitOfWork(connection, self._database)

    def _remember(self, reservation: Reservation) -> None:
        """Keeps a reservation that is committed, so that its settlement need not parse it; the row still decides."""
        while len(self._recent) >= _MOST_RECENT:
            self._recent.pop(next(iter(self._recent)))
        self._recent[reservation.id] = reservation

    def _reserve(self, group: Group, request: Reserve) -> Held | MeshError:
        draft, reservation = request.draft, request.draft.reservation
        refusal: MeshError | None = _expired() if draft.expires <= group.now else None
        if refusal is None and draft.idempotency_key:
            refusal = idempotency_keys.refusal(group, draft)
        if refusal is not None:
            return refusal
        fitting = self._untagged(group, reservation) or self._fitting(group, reservation, request.subjects, reservation.lines)
        if isinstance(fitting, MeshError):
            # The id may be held already, by this very request: then its own hold must not refuse it.
            return self._repeated(group, reservation) or self._screened(group, reservation, self._refused(group, reservation, fitting))
        earlier = self._repeated(group, reservation)
        if earlier is not None:
            return earlier
        reservation.holds = fitting.holds
        reservation.begin(group.now)
        group.insert(reservation, draft.epoch)
        if draft.idempotency_key:
            idempotency_keys.keep(group.connection, draft, group.now)
        return self._screened(group, reservation, self._held(group, reservation, fitting))

    def _screened(self, group: Group, made: Reservation, answer: A) -> A:
        """The answer, after what screening did to the request is recorded."""
        if made.screened:
            group.record(replace(_record(made, allowed=True, detail=made.screened, now=group.now), action=REQUEST))
        return answer

    def _fitting(
        self, group: Group, reservation: Reservation, subjects: Sequence[str], lines: Sequence[Line], beyond: Sequence[Line] = ()
    ) -> Fit | MeshError:
        """What the meters say, if the key still counts."""
        if not group.counts(reservation.key):
            return invalid_credential()
        meters = group.binding(reservation.domain, subjects)
        if self._budget_required and (refusal := refusals.without_budget(meters, lines, reservation.domain)):
            return refusal
        if not meters:
            return Fit()
        fitting = fit(meters, amounts.asked(lines, reservation.subjects, beyond=beyond), group.now)
        return refusals.exceeded(fitting.excesses, self._currency) if fitting.excesses else fitting

    def _untagged(self, group: Group, reservation: Reservation) -> MeshError | None:
        """A refusal where a limit demands a tag that the request does not have."""
        missing = group.undemanded(reservation.domain, reservation.entry.tags)
        return None if missing is None else refusals.tag_required(*missing)

    def _held(self, group: Group, made: Reservation, fitting: Fit) -> Held:
        group.stand(fitting.meters)
        group.record(_record(made, allowed=True, detail=f"held {text_of(made.reserved, self._currency)}", now=group.now))
        return Held(made, refusals.statuses(fitting.meters, group.now), group.now)

    def _refused(self, group: Group, reservation: Reservation, why: MeshError) -> MeshError:
        group.record(_record(reservation, allowed=False, detail=str(why), now=group.now))
        return why

    def _repeated(self, group: Group, reservation: Reservation) -> Held | MeshError | None:
        """The same `Reserve` again gets the same answer: its first one may have been lost on the way. None where it is the first."""
        earlier = group.find(reservation.id)
        if earlier is None:
            return None
        if earlier.entry.state in {RELEASED, REFUSED}:
            return released(reservation.id)
        if earlier.project != reservation.project or earlier.entry.admission_id != reservation.entry.admission_id:
            return already_exists(reservation.id)
        if earlier.entry.state in {SETTLED, ESTIMATED}:
            return already_settled(reservation.id)
        return Held(earlier, (), group.now) if earlier.lines == reservation.lines else already_exists(reservation.id)

    def _extend(self, group: Group, request: Extend) -> Held | MeshError:
        reservation = request.take(group)
        refusal = _not_extended(reservation, request.id, request.admission_id) or (_expired() if request.expires <= group.now else None)
        if reservation is None or refusal is not None:
            return refusal or unknown(request.id)
        line = request.line.with_candidates(max(other.candidates for other in reservation.lines))
        if any(line.id == other.id for other in reservation.lines):
            return Held(reservation, (), group.now) if line in reservation.lines else already_exists(f"attempt {line.id}")
        fitting = self._fitting(group, reservation, amounts.bound([line], reservation.subjects), [line], reservation.lines)
        if isinstance(fitting, MeshError):
            return self._refused(group, reservation, fitting)
        within_bounds(reservation.reserved + line.reserved)
        grown = replace(
            reservation, lines=(*reservation.lines, line), holds=_merged(reservation.holds, fitting.holds), version=reservation.version + 1
        )
        grown.entry.reserved.nanos += line.reserved
        group.grow(grown)
        booked = {(hold.meter, hold.window) for hold in grown.holds}
        return self._held(group, grown, Fit(meters=tuple(meter for meter in fitting.meters if (meter.name, meter.window) in booked)))

    def _settle(self, group: Group, request: Settle) -> Settled | MeshError:
        reservation = request.take(group)
        if reservation is None:
            return unknown(request.id)
        if reservation.entry.state == SETTLED:
            if not reservation.awaits(request.lines):
                return Settled(reservation.entry, repeated=True)
            charging.join(group, reservation)
        elif request.screened:
            reservation.found_in_answer(request.screened)
        group.post(reservation.settle(request.lines, group.now, self._speeds.of))
        group.change(reservation)
        charging.close(group, reservation)
        return Settled(reservation.entry, repeated=False, candidates=max((line.candidates for line in reservation.lines), default=1))

    def _release(self, group: Group, request: Release) -> usage_pb2.ReservationState:
        reservation = request.take(group)
        if reservation is None:
            group.mark_released_early(request.id)
            return RELEASED
        if reservation.entry.state in {RELEASED, REFUSED}:
            return reservation.entry.state
        group.post(reservation.release(group.now))
        group.change(reservation)
        return reservation.entry.state

    def _refuse(self, group: Group, request: Refuse) -> None:
        refused, currency = request.refused, self._currency
        refused.entry.reserved.currency = refused.entry.charged.currency = currency
        refused.begin(group.now)
        refused.entry.settle_time.CopyFrom(refused.entry.reserve_time)
        group.insert(refused, "")
        group.record(replace(request.audit, time=group.now))

    def _estimate(self, connection: Connection, lost: Sequence[str], now: int) -> int:
        held = epoch_rows.held_by(connection, lost)
        group = Group(self._unit(connection), self._accounts, now)
        for reservation in held:
            group.post(reservation.estimate(now))
            group.change(reservation)
        group.write()
        return len(held)


def _record(reservation: Reservation, *, allowed: bool, detail: str, now: int = 0) -> AuditEntry:
    return AuditEntry(
        domain=reservation.domain,
        action="requests.reserve",
        resource=reservation.entry.name,
        allowed=allowed,
        principal=reservation.principal,
        key=reservation.key,
        detail=detail,
        request_id=reservation.request_id,
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


def _not_extended(reservation: Reservation | None, reservation_id: str, admission_id: str) -> PolicyError | None:
    if reservation is None or reservation.entry.admission_id != admission_id:
        return unknown(reservation_id)
    if reservation.entry.state == RELEASED:
        return released(reservation_id)
    return None if reservation.entry.state == HELD else already_settled(reservation_id)


def _expired() -> PolicyError:
    return PolicyError(errors_pb2.ERROR_REASON_ADMISSION_EXPIRED, "the admission has expired")
