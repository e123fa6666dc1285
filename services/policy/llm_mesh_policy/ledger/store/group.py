"""What one group of works reads and writes of the ledger: seen in one look at its begin, changed in memory, written at its end.

Only behind the ledger's lock, which makes what was seen stand until the commit. Within a group each work sees what the works
before it did.
"""

from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.domain.unit_of_work import UnitOfWork
from llm_mesh_policy.ledger.domain.limits import PLATFORM, tag_key
from llm_mesh_policy.ledger.domain.meters import MONEY, Meter, Posting
from llm_mesh_policy.ledger.domain.reservation import Reservation
from llm_mesh_policy.ledger.store import entry_rows, meter_rows
from llm_mesh_policy.ledger.store.look import Look, look
from llm_mesh_policy.store.revision import Revision
from llm_mesh_policy.store.unit_of_work import connection_of
from llm_mesh_runtime.money import saturated

_PLATFORM = PLATFORM + "/"


class Accounts(Protocol):
    """What the ledger asks of identity within its own transaction."""

    def dead(self, unit: UnitOfWork, keys: Collection[str], now: int, revision: Revision | None = None) -> Collection[str]:
        """Those of the keys that do not count now; by the revision, where the transaction has read it."""

    def extend_audit(self, unit: UnitOfWork, entries: Sequence[AuditEntry]) -> None:
        """Adds audit records, in their order."""

    def domain_names(self, unit: UnitOfWork) -> Collection[str]:
        """The names of all domains."""


class Group:
    """One group's state of the ledger."""

    def __init__(self, unit: UnitOfWork, accounts: Accounts, now: int) -> None:
        self.unit = unit
        self.connection = connection_of(unit)
        self.now = now
        self._accounts = accounts
        self._sequence: int | None = None
        self._marks: dict[str, tuple[int, int, str] | None] = {}
        self._reservations: dict[str, Reservation | None] = {}
        self._meters: dict[str, Meter] = {}
        self._seen: set[str] = set()
        self._by_subject: dict[str, list[str]] = {}
        self._dead: dict[str, bool] = {}
        self._demands: dict[str, list[tuple[str, str]]] = {}
        self._closed: set[str] = set()
        self._stood: set[str] = set()
        self._posted: dict[tuple[str, int, int], tuple[int, int]] = {}
        self._inserted: list[tuple[Any, ...]] = []
        self._changed: dict[str, tuple[Any, ...]] = {}
        self._grown: dict[str, Reservation] = {}
        self._audit: list[AuditEntry] = []

    def see(self, ids: Collection[str], subjects: Collection[str], keys: Collection[str]) -> None:
        """Looks at what works are about, at once for all of them."""
        seen: Look = look(self.connection, ids, subjects)
        self._sequence = seen.sequence if self._sequence is None else self._sequence
        for each in ids:
            self._marks[each] = seen.marks.get(each)
        if subjects:
            self._add_meters(subjects, seen.meters)
            for scope, subject, name in seen.demands:
                self._demands.setdefault(scope, []).append((tag_key(subject), name))
        if keys:
            dead = self._accounts.dead(self.unit, keys, self.now, seen.revision)
            for key in keys:
                self._dead[key] = key in dead

    def find(self, reservation_id: str, known: Reservation | None = None) -> Reservation | None:
        """The reservation of an id, whoever's it is; the one that is known where it is still what the row says."""
        if reservation_id in self._reservations:
            return self._reservations[reservation_id]
        mark = self._marks.get(reservation_id, ())
        if mark is None:
            reservation = None
        elif known is not None and mark == entry_rows.mark_of(known):
            reservation = known
        else:
            reservation = entry_rows.find(self.connection, reservation_id)
        self._reservations[reservation_id] = reservation
        return reservation

    def counts(self, key: str) -> bool:
        """Whether a key counts now."""
        if key not in self._dead:
            self._dead[key] = key in self._accounts.dead(self.unit, [key], self.now)
        return not self._dead[key]

    def binding(self, domain: str, subjects: Collection[str]) -> list[Meter]:
        """The meters that bind any of the subjects: those of their domain, and the platform's."""
        if not self._seen.issuperset(subjects):
            unseen = set(subjects) - self._seen
            self._add_meters(unseen, meter_rows.binding(self.connection, unseen))
        if not self._meters:
            return []
        ours = (domain + "/", _PLATFORM)
        names = [name for subject in subjects for name in self._by_subject.get(subject, ())]
        return [self._meters[name] for name in names if name.startswith(ours)]

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
        closing = [meter for each in own for meter in each if not meter.closed and meter.name not in self._closed]
        for meter in closing:
            self._meters[meter.name] = replace(meter, closed=self.now)
            self._closed.add(meter.name)
        return [meter.name for meter in closing]

    def stand(self, meters: Iterable[Meter]) -> None:
        """How meters that were read here stand now."""
        for each in meters:
            self._meters[each.name] = each
            self._stood.add(each.name)

    def post(self, postings: Iterable[Posting]) -> None:
        """Adds to meters, where they are still the ones that were held of."""
        for each in postings:
            meter = self._meters.get(each.meter)
            if meter is None:
                place = (each.meter, each.generation, each.window)
                spent, held = self._posted.get(place, (0, 0))
                self._posted[place] = (saturated(spent + each.spent), saturated(held + each.held))
            elif (meter.generation, meter.window) == (each.generation, each.window):
                self.stand([replace(meter, spent=saturated(meter.spent + each.spent), held=saturated(meter.held + each.held))])

    def insert(self, reservation: Reservation, epoch: str) -> None:
        """A new reservation, whose id is free."""
        self._reservations[reservation.id] = reservation
        self._inserted.append(entry_rows.new_row(reservation, epoch, self._next()))

    def mark_released_early(self, reservation_id: str) -> None:
        """A reservation that was released before it was made: no event, and no tenant yet."""
        tombstone = entry_rows.tombstone(reservation_id, self.now)
        self._reservations[reservation_id] = tombstone
        self._inserted.append(entry_rows.new_row(tombstone, "", None))

    def change(self, reservation: Reservation) -> None:
        """What became of a reservation, which is put at the end of the outbox."""
        self._changed[reservation.id] = entry_rows.changed_row(reservation, self._next())

    def grow(self, reservation: Reservation) -> None:
        """What was added to a reservation."""
        self._reservations[reservation.id] = reservation
        self._grown[reservation.id] = reservation
        self.change(reservation)

    def record(self, entry: AuditEntry) -> None:
        """An audit record."""
        self._audit.append(entry)

    def write(self) -> None:
        """Writes everything, in a few statements."""
        entry_rows.INSERT.write(self.connection, self._inserted)
        for each in self._grown.values():
            entry_rows.grow(self.connection, each)
        if self._changed:
            entry_rows.CHANGE.write(self.connection, list(self._changed.values()))
        if self._stood:
            stood = [self._meters[name] for name in sorted(self._stood)]
            meter_rows.STAND.write(self.connection, [(each.name, each.window, each.spent, each.held) for each in stood])
        if self._posted:
            posted = [(*place, *change) for place, change in sorted(self._posted.items())]
            meter_rows.POST.write(self.connection, posted)
        if self._closed:
            meter_rows.close(self.connection, self._closed, self.now)
        if self._audit:
            self._accounts.extend_audit(self.unit, self._audit)

    def _add_meters(self, subjects: Iterable[str], meters: Iterable[Meter]) -> None:
        self._seen.update(subjects)
        for meter in meters:
            if meter.name in self._meters:
                continue
            self._meters[meter.name] = meter
            self._by_subject.setdefault(meter.subject, []).append(meter.name)
            place = (meter.name, meter.generation, meter.window)
            if place in self._posted:  # by a work before the one that this meter is read for
                spent, held = self._posted.pop(place)
                self.stand([replace(meter, spent=saturated(meter.spent + spent), held=saturated(meter.held + held))])

    def _next(self) -> int:
        """The next place in the outbox."""
        if self._sequence is None:
            self._sequence = look(self.connection, (), ()).sequence
        self._sequence += 1
        return self._sequence
