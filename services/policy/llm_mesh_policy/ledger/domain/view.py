"""The part of the ledger that a group of requests is decided by: loaded at its begin, changed in memory, saved at its end.

What a decision needs must be loaded before: what is not there is an error and never read as absent. Within a group each decision sees
what those before it did.
"""

from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from llm_mesh_figures.money import saturated
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain.kept_answers import Place
from llm_mesh_policy.ledger.domain.limits import PLATFORM, tag_key
from llm_mesh_policy.ledger.domain.meters import MONEY, Meter, Posting
from llm_mesh_policy.ledger.domain.ports import ReservationDraft
from llm_mesh_policy.ledger.domain.reservation import Reservation

KEY_HOLDS = 24 * 3600 * 1_000_000
"""How long an idempotency key is bound to its first request, in microseconds."""
_PLATFORM = PLATFORM + "/"
MeterPlace = tuple[str, int, int]
"""A meter by name, generation and window."""


class FirstRequest(NamedTuple):
    """The request that an idempotency key is bound to."""

    digest: bytes
    reservation_id: str
    expires: int
    has_answer: bool
    """Whether its answer is kept to be repeated."""


class NotLoadedError(LookupError):
    """A decision needs what was not loaded for it."""


class LedgerView:
    """One group's state of the ledger, and what is to be saved of it."""

    def __init__(self, now: int, sequence: int = 0) -> None:
        self.now = now
        self.reservations: dict[str, Reservation | None] = {}
        """By id; None: there is none."""
        self.first_requests: dict[Place, FirstRequest | None] = {}
        self.meters: dict[str, Meter] = {}
        self.bound_keys: dict[Place, ReservationDraft] = {}
        self.inserted: dict[str, tuple[str, int | None]] = {}
        """Epoch and place in the outbox; without one it is no event."""
        self.changed: dict[str, int] = {}
        """Places at the end of the outbox."""
        self.grown: set[str] = set()
        self.standing: set[str] = set()
        """Meters whose figures are to be written as they are in the view."""
        self.posted: dict[MeterPlace, tuple[int, int]] = {}
        """What is to be added to the spent and held of meters that are not in the view."""
        self.closed: set[str] = set()
        self.audit: list[AuditEntry] = []
        self.sequence = sequence
        """The newest place in the outbox."""
        self._loaded_subjects: set[str] = set()
        self._by_subject: dict[str, list[str]] = {}
        self._key_counts: dict[str, bool] = {}
        self._demands: dict[str, list[tuple[str, str]]] = {}

    def add_meters(self, subjects: Iterable[str], meters: Iterable[Meter]) -> None:
        """All meters of some subjects, as they are stored."""
        self._loaded_subjects.update(subjects)
        for meter in meters:
            if meter.name in self.meters:
                continue
            self.meters[meter.name] = meter
            self._by_subject.setdefault(meter.subject, []).append(meter.name)
            place = (meter.name, meter.generation, meter.window)
            if place in self.posted:  # by a decision before the one that this meter is loaded for
                spent, held = self.posted.pop(place)
                self.stand([replace(meter, spent=saturated(meter.spent + spent), held=saturated(meter.held + held))])

    def add_keys(self, keys: Iterable[str], dead: Container[str]) -> None:
        """Which keys do not count now."""
        for key in keys:
            self._key_counts[key] = key not in dead

    def add_demands(self, demands: Iterable[Sequence[str]]) -> None:
        """Limits that demand their tag: of which domain's requests, their subject, their name."""
        for scope, subject, name in demands:
            self._demands.setdefault(scope, []).append((tag_key(subject), name))

    def has_meters_of(self, subjects: Collection[str]) -> bool:
        """Whether the meters of all subjects are loaded."""
        return self._loaded_subjects.issuperset(subjects)

    def has_key(self, key: str) -> bool:
        """Whether it is loaded whether a key counts."""
        return key in self._key_counts

    def counts(self, key: str) -> bool:
        """Whether a key counts now."""
        return self._key_counts[key]

    def binding(self, domain: str, subjects: Collection[str]) -> list[Meter]:
        """The meters that bind any of the subjects: those of their domain, and the platform's."""
        if not self._loaded_subjects.issuperset(subjects):
            raise NotLoadedError(sorted(set(subjects) - self._loaded_subjects))
        if not self.meters:
            return []
        ours = (domain + "/", _PLATFORM)
        names = [name for subject in subjects for name in self._by_subject.get(subject, ())]
        return [self.meters[name] for name in names if name.startswith(ours)]

    def undemanded(self, domain: str, tags: Container[str]) -> tuple[str, str] | None:
        """A tag that a limit demands of the domain's requests and that is not among theirs, with the limit. None: there is none."""
        if not self._demands:
            return None
        demanded = (*self._demands.get(domain, ()), *self._demands.get(PLATFORM, ()))
        return next((each for each in demanded if each[0] not in tags), None)

    def close(self, domain: str, payers: Sequence[str]) -> list[str]:
        """Closes the open budgets of projects, or of the domain where a project has none. Answers which."""
        money = [meter for meter in self.binding(domain, [*payers, domain]) if meter.metric == MONEY]
        own = [[meter for meter in money if meter.subject == payer] or [m for m in money if m.subject == domain] for payer in payers]
        closing = [meter for each in own for meter in each if not meter.closed and meter.name not in self.closed]
        for meter in closing:
            self.meters[meter.name] = replace(meter, closed=self.now)
            self.closed.add(meter.name)
        return [meter.name for meter in closing]

    def stand(self, meters: Iterable[Meter]) -> None:
        """How meters of the view stand now."""
        for each in meters:
            self.meters[each.name] = each
            self.standing.add(each.name)

    def post(self, postings: Iterable[Posting]) -> None:
        """Adds to meters, where they are still the ones that were held of."""
        for each in postings:
            meter = self.meters.get(each.meter)
            if meter is None:
                place = (each.meter, each.generation, each.window)
                spent, held = self.posted.get(place, (0, 0))
                self.posted[place] = (saturated(spent + each.spent), saturated(held + each.held))
            elif (meter.generation, meter.window) == (each.generation, each.window):
                self.stand([replace(meter, spent=saturated(meter.spent + each.spent), held=saturated(meter.held + each.held))])

    def insert(self, reservation: Reservation, epoch: str) -> None:
        """A new reservation, whose id is free."""
        self.reservations[reservation.id] = reservation
        self.inserted[reservation.id] = (epoch, self._next())

    def insert_unseen(self, reservation: Reservation) -> None:
        """A reservation that is no event of the outbox."""
        self.reservations[reservation.id] = reservation
        self.inserted[reservation.id] = ("", None)

    def change(self, reservation: Reservation) -> None:
        """What became of a reservation, which is put at the end of the outbox."""
        self.reservations[reservation.id] = reservation
        self.changed[reservation.id] = self._next()

    def grow(self, reservation: Reservation) -> None:
        """What was added to a reservation."""
        self.grown.add(reservation.id)
        self.change(reservation)

    def bind_key(self, place: Place, draft: ReservationDraft) -> None:
        """Binds an idempotency key to its first request."""
        self.first_requests[place] = FirstRequest(draft.request_digest, draft.reservation.id, self.now + KEY_HOLDS, has_answer=False)
        self.bound_keys[place] = draft

    def record(self, entry: AuditEntry) -> None:
        """An audit record."""
        self.audit.append(entry)

    def _next(self) -> int:
        """The next place in the outbox."""
        self.sequence += 1
        return self.sequence
