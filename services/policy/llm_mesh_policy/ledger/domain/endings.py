"""Decisions on how reservations end: settled, released, refused by screening, estimated, reconciled. Functions of a loaded view."""

from collections.abc import Iterable, Sequence

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain import amounts, records
from llm_mesh_policy.ledger.domain.decisions import LedgerTerms
from llm_mesh_policy.ledger.domain.ports import Settled
from llm_mesh_policy.ledger.domain.requests import Refuse, Release, Settle
from llm_mesh_policy.ledger.domain.reservation import REFUSED, RELEASED, SETTLED, UNSENT, Reservation, released_early, unknown
from llm_mesh_policy.ledger.domain.view import LedgerView
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import digest_of


def settle(view: LedgerView, request: Settle, terms: LedgerTerms) -> Settled | MeshError:
    """Charges what was used; once more only where the provider's usage corrects an estimate."""
    reservation = view.reservations[request.id]
    if reservation is None:
        return unknown(request.id)
    is_first = reservation.entry.state != SETTLED
    if not is_first:
        if not reservation.awaits(request.lines):
            return Settled(reservation.entry, repeated=True)
        _join(view, reservation)
    postings = reservation.settle(request.lines, view.now, terms.speed_of)
    if is_first and request.screened:
        reservation.found_in_answer(request.screened)
    view.post(postings)
    view.change(reservation)
    return Settled(reservation.entry, repeated=False, candidates=max((line.candidates for line in reservation.lines), default=1))


def release(view: LedgerView, request: Release, terms: LedgerTerms) -> usage_pb2.ReservationState:
    """Gives back what is held. Before the reservation is made it leaves a mark, so that it is not made any more."""
    reservation = view.reservations[request.id]
    why = request.why
    if reservation is None and why.unreserved is not None:
        _insert_refused(view, why.unreserved.reservation, why.unreserved.audit, terms)
        return REFUSED
    if reservation is None:
        view.insert_unseen(released_early(request.id, view.now))
        return RELEASED
    if reservation.entry.state not in UNSENT:
        view.post(reservation.release(view.now, why.lines, why.reason, why.field))
        view.change(reservation)
    return reservation.entry.state


def refuse(view: LedgerView, request: Refuse, terms: LedgerTerms) -> None:
    """Writes that screening refused a request before it was reserved."""
    _insert_refused(view, request.refused, request.audit, terms)


def _insert_refused(view: LedgerView, refused: Reservation, audit: AuditEntry, terms: LedgerTerms) -> None:
    refused.entry.reserved.currency = refused.entry.charged.currency = terms.currency
    refused.end_at_once(view.now)
    view.insert(refused, "")
    audit.time = view.now
    view.record(audit)


def estimate(view: LedgerView, lost: Iterable[Reservation]) -> None:
    """Charges reservations whose gateway is lost in full, until the truth is known."""
    for reservation in lost:
        view.post(reservation.estimate(view.now))
        view.change(reservation)


def reconcile(view: LedgerView, reservation: Reservation, lines: Sequence[usage_pb2.UsageLine], audit: AuditEntry) -> None:
    """Replaces an estimate by what became known otherwise."""
    audit.before = digest_of(reservation.entry)
    _join(view, reservation)
    view.post(reservation.reconcile(lines, view.now))
    view.change(reservation)
    audit.after = digest_of(reservation.entry)
    view.record(audit)


def close_overrun(view: LedgerView, charged: Reservation) -> None:
    """Closes the budgets of projects that are charged more than was reserved for them."""
    for name in view.close(charged.domain, charged.overrun_by):
        view.record(records.closed(charged, name, view.now))


def _join(view: LedgerView, ended: Reservation) -> None:
    """Lets budgets that were made after a reservation had ended follow its corrections."""
    ended.join(view.binding(ended.domain, amounts.bound(ended.lines, ended.subjects)))
