"""Loads the view that a group of requests is decided by: in one look at its begin, and what only some need just before their decision.

Only behind the ledger's lock, which makes what was loaded stand until the commit.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.domain.unit_of_work import UnitOfWork
from llm_mesh_policy.ledger.domain import amounts, repetition
from llm_mesh_policy.ledger.domain.decisions import place_of
from llm_mesh_policy.ledger.domain.limits import PLATFORM
from llm_mesh_policy.ledger.domain.ports import ReservationDraft
from llm_mesh_policy.ledger.domain.requests import Extend, Refuse, Release, Request, Reserve, Settle
from llm_mesh_policy.ledger.domain.reservation import HELD, SETTLED, Reservation
from llm_mesh_policy.ledger.domain.view import LedgerView
from llm_mesh_policy.ledger.store import answer_rows, entry_rows, idempotency_keys, meter_rows
from llm_mesh_policy.ledger.store.look import look
from llm_mesh_policy.store.revision import Revision
from llm_mesh_policy.store.unit_of_work import connection_of


class OtherSlices(Protocol):
    """What the ledger asks of other slices within its own transaction."""

    def dead(self, unit: UnitOfWork, keys: Collection[str], now: int, revision: Revision | None = None) -> Collection[str]:
        """Those of the keys that do not count now; by the revision, where the transaction has read it."""

    def extend_audit(self, unit: UnitOfWork, entries: Sequence[AuditEntry]) -> None:
        """Adds audit records, in their order."""

    def domain_names(self, unit: UnitOfWork) -> Collection[str]:
        """As the transaction sees them, with those that it creates itself."""


class ViewLoader:
    """Loads one view."""

    def __init__(self, unit: UnitOfWork, accounts: OtherSlices, now: int, requests: Sequence[Request] = ()) -> None:
        self._unit = unit
        self._connection = connection_of(unit)
        self._accounts = accounts
        reserving = [request for request in requests if isinstance(request, Reserve)]
        subjects: set[str] = set()
        if reserving:
            subjects.update([PLATFORM], *[request.subjects for request in reserving])
        ids = {request.id for request in requests}
        seen = look(self._connection, ids, subjects)
        self._marks = seen.marks
        self.view = LedgerView(now, seen.sequence)
        self.view.reservations = {each: None for each in ids if each not in seen.marks}
        if subjects:
            self.view.add_meters(subjects, seen.meters)
            self.view.add_demands(seen.demands)
        if keys := {request.draft.reservation.key for request in reserving}:
            self.view.add_keys(keys, accounts.dead(unit, keys, now, seen.revision))

    def complete(self, request: Request) -> None:
        """What this request is decided by beside what was seen at the begin."""
        if isinstance(request, Reserve):
            if request.id in self._marks:
                self.find(request.id)
            if request.draft.idempotency_key:
                self._load_first_request(request.draft)
        elif not isinstance(request, Refuse):
            known, request.known = request.known, None
            reservation = self.find(request.id, known)
            if reservation is not None:
                self._load_subjects(request, reservation)

    def _load_subjects(self, request: Extend | Settle | Release, reservation: Reservation) -> None:
        """Meters and key that an extension, or the correction of a settlement, is decided by."""
        state = reservation.entry.state
        if state == HELD:
            if isinstance(request, Extend):
                self.load_meters(amounts.bound([request.line], reservation.subjects))
                self._load_key(reservation.key)
        elif state == SETTLED and isinstance(request, Settle) and reservation.awaits(request.lines):
            self.load_meters(amounts.bound(reservation.lines, reservation.subjects))

    def find(self, reservation_id: str, known: Reservation | None = None) -> Reservation | None:
        """The reservation of an id, whoever's it is; the one that is known where it is still what the row says."""
        reservations = self.view.reservations
        if reservation_id not in reservations:
            if known is not None and self._marks.get(reservation_id) == entry_rows.mark_of(known):
                reservations[reservation_id] = known
            else:
                reservations[reservation_id] = entry_rows.find(self._connection, reservation_id)
        return reservations[reservation_id]

    def load_meters(self, subjects: Collection[str]) -> None:
        """The meters of subjects, where they are not loaded."""
        if not self.view.has_meters_of(subjects):
            self.view.add_meters(subjects, meter_rows.binding(self._connection, subjects))

    def _load_key(self, key: str) -> None:
        if not self.view.has_key(key):
            self.view.add_keys([key], self._accounts.dead(self._unit, [key], self.view.now))

    def _load_first_request(self, draft: ReservationDraft) -> None:
        place, view = place_of(draft), self.view
        if place in view.first_requests:
            return
        first = view.first_requests[place] = idempotency_keys.find(self._connection, place)
        if first is None or first.expires <= view.now or first.reservation_id == draft.reservation.id:
            return
        earlier = self.find(first.reservation_id)
        if earlier is not None and not repetition.is_free(earlier.entry) and not repetition.in_progress(earlier.entry):
            has_answer = answer_rows.has(self._connection, place, first.reservation_id, view.now)
            view.first_requests[place] = first._replace(has_answer=has_answer)
