"""Decisions on requests that hold money, or more of it. Functions of a loaded view; they neither read nor write.

A decision either changes the view whole or answers with a refusal, which changes nothing of it but the audit.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from llm_mesh.policy.v1 import errors_pb2
from llm_mesh_figures.money import text as text_of
from llm_mesh_policy.domain.errors import PolicyError, invalid_credential
from llm_mesh_policy.ledger.domain import amounts, records, refusals, repetition
from llm_mesh_policy.ledger.domain.kept_answers import Place, key_reused
from llm_mesh_policy.ledger.domain.meters import Fit, Hold, fit
from llm_mesh_policy.ledger.domain.ports import HeldReservation, ReservationDraft
from llm_mesh_policy.ledger.domain.quote import QuoteLine, within_bounds
from llm_mesh_policy.ledger.domain.requests import Extend, Reserve
from llm_mesh_policy.ledger.domain.reservation import (
    ESTIMATED,
    HELD,
    SETTLED,
    UNSENT,
    Reservation,
    already_settled,
    released,
    unknown,
)
from llm_mesh_policy.ledger.domain.settlement import SpeedOf
from llm_mesh_policy.ledger.domain.view import LedgerView
from llm_mesh_policy.screening.ports import REQUEST
from llm_mesh_runtime.errors import MeshError, already_exists


class LedgerTerms(NamedTuple):
    """What holds for all decisions."""

    currency: str
    speed_of: SpeedOf
    budget_required: bool = False
    """Whether what costs needs a budget that binds its payer."""


T = TypeVar("T")


def reserve(view: LedgerView, request: Reserve, terms: LedgerTerms) -> HeldReservation | MeshError:
    """Holds the worst case: expiry, then idempotency, then tags and limits; and the same `Reserve` again gets its first answer again."""
    draft, reservation = request.draft, request.draft.reservation
    refusal: MeshError | None = _expired() if draft.expires <= view.now else None
    if refusal is None and draft.idempotency_key:
        refusal = repeated_key(view, draft)
    if refusal is not None:
        return _unreserved(view, reservation, refusal, terms)
    fitting = _untagged(view, reservation) or _fitting(view, reservation, request.subjects, reservation.lines, terms)
    if isinstance(fitting, MeshError):
        # The id may be held already, by this very request: then its own hold must not refuse it.
        return _repeated(view, reservation) or _unreserved(view, reservation, _refused(view, reservation, fitting), terms)
    earlier = _repeated(view, reservation)
    if earlier is not None:
        return earlier
    reservation.holds = fitting.holds
    reservation.begin(view.now)
    view.insert(reservation, draft.epoch)
    if draft.idempotency_key:
        view.bind_key(place_of(draft), draft)
    return _recorded(view, reservation, _held(view, reservation, fitting, terms))


def extend(view: LedgerView, request: Extend, terms: LedgerTerms) -> HeldReservation | MeshError:
    """Adds an attempt to a held reservation. The same attempt again gets the same answer."""
    reservation = view.reservations[request.id]
    refusal = _not_extended(reservation, request.id, request.admission_id) or (_expired() if request.expires <= view.now else None)
    if reservation is None or refusal is not None:
        return refusal or unknown(request.id)
    line = request.line.with_candidates(max(other.candidates for other in reservation.lines))
    if any(line.id == other.id for other in reservation.lines):
        return HeldReservation(reservation, (), view.now) if line in reservation.lines else already_exists(f"attempt {line.id}")
    fitting = _fitting(view, reservation, amounts.bound([line], reservation.subjects), [line], terms, reservation.lines)
    if isinstance(fitting, MeshError):
        return _refused(view, reservation, fitting)
    within_bounds(reservation.reserved + line.reserved)
    grown = replace(
        reservation, lines=(*reservation.lines, line), holds=_merged(reservation.holds, fitting.holds), version=reservation.version + 1
    )
    grown.entry.reserved.nanos += line.reserved
    view.grow(grown)
    booked = {(hold.meter, hold.window) for hold in grown.holds}
    return _held(view, grown, Fit(meters=tuple(meter for meter in fitting.meters if (meter.name, meter.window) in booked)), terms)


def place_of(draft: ReservationDraft) -> Place:
    """Whose idempotency key a draft has."""
    return Place(draft.reservation.domain, draft.reservation.project, draft.idempotency_key)


def repeated_key(view: LedgerView, draft: ReservationDraft) -> MeshError | None:
    """Why the key does not let the request through: another request, one in progress, or one that has ended."""
    reservation = draft.reservation
    first = view.first_requests[place_of(draft)]
    if first is None or first.expires <= view.now or first.reservation_id == reservation.id:
        return None
    if not view.counts(reservation.key):
        return invalid_credential()
    if first.digest != draft.request_digest:
        return key_reused()
    earlier = view.reservations[first.reservation_id]
    if earlier is None or repetition.is_free(earlier.entry):
        return None
    if repetition.in_progress(earlier.entry):
        return repetition.still_in_progress(earlier.entry)
    return repetition.completed(earlier.entry, answer_kept=first.has_answer)


def _fitting(
    view: LedgerView,
    reservation: Reservation,
    subjects: Sequence[str],
    lines: Sequence[QuoteLine],
    terms: LedgerTerms,
    beyond: Sequence[QuoteLine] = (),
) -> Fit | MeshError:
    """What the meters say, if the key still counts."""
    if not view.counts(reservation.key):
        return invalid_credential()
    meters = view.binding(reservation.domain, subjects)
    if terms.budget_required and (refusal := refusals.without_budget(meters, lines, reservation.domain)):
        return refusal
    if not meters:
        return Fit()
    fitting = fit(meters, amounts.amounts_of(lines, reservation.subjects, beyond=beyond), view.now)
    return refusals.exceeded(fitting.excesses, terms.currency) if fitting.excesses else fitting


def _untagged(view: LedgerView, reservation: Reservation) -> MeshError | None:
    """A refusal where a limit demands a tag that the request does not have."""
    missing = view.undemanded(reservation.domain, reservation.entry.tags)
    return None if missing is None else refusals.tag_required(*missing)


def _held(view: LedgerView, made: Reservation, fitting: Fit, terms: LedgerTerms) -> HeldReservation:
    view.stand(fitting.meters)
    view.record(records.reserved(made, allowed=True, detail=f"held {text_of(made.reserved, terms.currency)}", now=view.now))
    return HeldReservation(made, refusals.statuses(fitting.meters, view.now), view.now)


def _refused(view: LedgerView, reservation: Reservation, why: MeshError) -> MeshError:
    view.record(records.reserved(reservation, allowed=False, detail=str(why), now=view.now))
    return why


def _unreserved(view: LedgerView, draft: Reservation, why: MeshError, terms: LedgerTerms) -> MeshError:
    """The refusal, after what screening did to the request is recorded: in the audit trail, and in an entry without money.

    A repetition that gets a kept answer has no entry, as one in which nothing was found.
    """
    if draft.screened and view.reservations[draft.id] is None:
        if repetition.is_repeated(why):
            return _recorded(view, draft, why)
        refused = draft.unreserved(why.reason_name, why.field)
        refused.entry.reserved.currency = terms.currency
        refused.end_at_once(view.now)
        view.insert(refused, "")
        return _recorded(view, draft, why)
    return why


def _recorded(view: LedgerView, made: Reservation, answer: T) -> T:
    """The answer, after what screening did to the request is in the audit trail."""
    if made.screened:
        view.record(replace(records.reserved(made, allowed=True, detail=made.screened, now=view.now), action=REQUEST))
    return answer


def _repeated(view: LedgerView, reservation: Reservation) -> HeldReservation | MeshError | None:
    """The same `Reserve` again gets the same answer: its first one may have been lost on the way. None where it is the first."""
    earlier = view.reservations[reservation.id]
    if earlier is None:
        return None
    if earlier.entry.state in UNSENT:
        return released(reservation.id)
    if earlier.project != reservation.project or earlier.entry.admission_id != reservation.entry.admission_id:
        return already_exists(reservation.id)
    if earlier.entry.state in {SETTLED, ESTIMATED}:
        return already_settled(reservation.id)
    return HeldReservation(earlier, (), view.now) if earlier.lines == reservation.lines else already_exists(reservation.id)


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
    if reservation.entry.state in UNSENT:
        return released(reservation_id)
    return None if reservation.entry.state == HELD else already_settled(reservation_id)


def _expired() -> PolicyError:
    return PolicyError(errors_pb2.ERROR_REASON_ADMISSION_EXPIRED, "the admission has expired")
