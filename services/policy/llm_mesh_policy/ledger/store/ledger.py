"""The ledger on SQLite or PostgreSQL.

Every work begins by taking the ledger's lock, so that what it reads of meters stands until its commit, entries get their
place in the outbox in the order of commits, and no two works wait for each other. SQLite has one writer anyway. Refusals
leave a work as values: what they wrote (the audit row) is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain import amounts, decisions, endings
from llm_mesh_policy.ledger.domain.decisions import LedgerTerms
from llm_mesh_policy.ledger.domain.ports import NOTHING_TOLD, HeldReservation, ReservationDraft, Settled, Why
from llm_mesh_policy.ledger.domain.quote import QuoteLine
from llm_mesh_policy.ledger.domain.requests import Extend, Refuse, Release, Request, Reserve, Settle
from llm_mesh_policy.ledger.domain.reservation import Reservation, unknown
from llm_mesh_policy.ledger.domain.speeds import Speeds
from llm_mesh_policy.ledger.domain.view import LedgerView
from llm_mesh_policy.ledger.store import entry_rows, epoch_rows, idempotency_keys
from llm_mesh_policy.ledger.store.loading import OtherSlices, ViewLoader
from llm_mesh_policy.ledger.store.saving import save
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork
from llm_mesh_runtime.database import Database, PreparedStatement
from llm_mesh_runtime.errors import MeshError

T = TypeVar("T")

_MOST_RECENT = 4096
_HOUR = 3600 * 1_000_000
_DECISIONS: Mapping[type, Callable[[LedgerView, Any, LedgerTerms], object]] = {
    Reserve: decisions.reserve,
    Extend: decisions.extend,
    Settle: endings.settle,
    Release: endings.release,
    Refuse: endings.refuse,
}
_LOCK = PreparedStatement(text("SELECT pg_advisory_xact_lock(4863451)"))


def lock(connection: Connection) -> None:
    """Lets one work at a time at the ledger, until its commit; taken again by the same work, it does nothing."""
    if connection.dialect.name == "postgresql":
        _LOCK.first(connection)


class SqlLedger:
    """`ledger.domain.ports.Ledger` in a `Database`."""

    def __init__(
        self,
        database: Database,
        accounts: OtherSlices,
        *,
        currency: str,
        changed: Callable[[], None] = lambda: None,
        speeds: Speeds | None = None,
        budget_required: bool = False,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._changed = changed
        self._terms = LedgerTerms(currency, (Speeds() if speeds is None else speeds).of, budget_required)
        self._recent: dict[str, Reservation] = {}

    async def reserve(self, draft: ReservationDraft) -> HeldReservation:
        reservation = draft.reservation
        held: HeldReservation = await self._decide(Reserve(reservation.id, draft, amounts.bound(reservation.lines, reservation.subjects)))
        self._remember(held.reservation)
        return held

    async def extend(self, reservation_id: str, admission_id: str, expires: int, line: QuoteLine) -> HeldReservation:
        known = self._recent.pop(reservation_id, None)
        held: HeldReservation = await self._decide(Extend(reservation_id, known, admission_id, expires, line))
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

    async def release(self, reservation_id: str, why: Why = NOTHING_TOLD) -> usage_pb2.ReservationState:
        state: usage_pb2.ReservationState = await self._decide(Release(reservation_id, self._recent.pop(reservation_id, None), why))
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
            unit = SqlUnitOfWork(connection, self._database)
            loader = ViewLoader(unit, self._accounts, self._locked(connection))
            reservation = loader.find(reservation_id)
            if reservation is None or reservation.project != project:
                return unknown(reservation_id)
            loader.load_meters(amounts.bound(reservation.lines, reservation.subjects))
            endings.reconcile(loader.view, reservation, lines, audit)
            _close_overrun(loader, reservation)
            save(unit, self._accounts, loader.view)
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

    def _together(self, connection: Connection, requests: Sequence[Request]) -> list[object]:
        """Decides a group of requests, in their order. Refusals are answers: they undo nothing of others."""
        unit = SqlUnitOfWork(connection, self._database)
        loader = ViewLoader(unit, self._accounts, self._locked(connection), requests)
        answers: list[object] = []
        for request in requests:
            try:
                answers.append(self._answer(loader, request))
            except MeshError as refusal:  # raised before anything of the view was changed
                answers.append(refusal)
        save(unit, self._accounts, loader.view)
        return answers

    def _answer(self, loader: ViewLoader, request: Request) -> object:
        loader.complete(request)
        answer = _DECISIONS[type(request)](loader.view, request, self._terms)
        if isinstance(answer, Settled) and answer.entry.overrun and not answer.repeated:
            charged = loader.find(request.id)
            if charged is not None:
                _close_overrun(loader, charged)
        return answer

    def _locked(self, connection: Connection) -> int:
        lock(connection)
        return self._database.now(connection)

    def _remember(self, reservation: Reservation) -> None:
        """Keeps a reservation that is committed, so that its settlement need not parse it; the row still decides."""
        while len(self._recent) >= _MOST_RECENT:
            self._recent.pop(next(iter(self._recent)))
        self._recent[reservation.id] = reservation

    def _estimate(self, connection: Connection, lost: Sequence[str], now: int) -> int:
        held = epoch_rows.held_by(connection, lost)
        if held:
            unit = SqlUnitOfWork(connection, self._database)
            view = ViewLoader(unit, self._accounts, now).view
            endings.estimate(view, held)
            save(unit, self._accounts, view)
        return len(held)


def _close_overrun(loader: ViewLoader, charged: Reservation) -> None:
    """Loads the budgets that a charge may close, which only the charge tells."""
    if not charged.entry.overrun:
        return
    loader.load_meters({*charged.overrun_by, charged.domain})
    endings.close_overrun(loader.view, charged)
