"""Meters beside the sums of their entries.

A sum of money is made by the store itself, which leaves the interpreter to others meanwhile. What tokens and requests were used stands
in the entries' bodies: they are read in slices with pauses, and never more of them than `most`.
"""

import time
from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, Select, func, select

from llm_mesh_figures.money import NANO, saturated
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain import amounts
from llm_mesh_policy.ledger.domain.meter_check import Comparison
from llm_mesh_policy.ledger.domain.meters import CONCURRENCY, MONEY, Meter, Posting, window_end
from llm_mesh_policy.ledger.domain.reservation import HELD, UNSENT, Reservation
from llm_mesh_policy.ledger.domain.view import LedgerView
from llm_mesh_policy.ledger.store import entry_rows, meter_rows
from llm_mesh_policy.ledger.store.ledger import lock
from llm_mesh_policy.ledger.store.loading import OtherSlices
from llm_mesh_policy.ledger.store.saving import save
from llm_mesh_policy.ledger.store.tables import entries, meters
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.resources import domain_of

_TIMEOUT_SECONDS = 900.0
_SLICE = 100
_SLICE_PAUSE = 0.002


class LedgerSums:
    """`ledger.domain.meter_check.Sums` in a `Database`."""

    def __init__(self, database: Database, accounts: OtherSlices, *, most: int) -> None:
        self._database = database
        self._accounts = accounts
        self._most = most

    async def names(self, after: str, limit: int) -> Sequence[str]:
        statement = select(meters.c.name).where(meters.c.name > after).order_by(meters.c.name).limit(limit)
        return await self._database.read(lambda connection: list(connection.execute(statement).scalars()))

    async def compare(self, name: str) -> Comparison | None:
        return await self._database.read(lambda connection: self._compared(connection, name, _SLICE_PAUSE), time_limit=_TIMEOUT_SECONDS)

    async def correct(self, name: str) -> Comparison | None:
        def work(connection: Connection) -> Comparison | None:
            lock(connection)
            now = self._database.now(connection)
            compared = self._compared(connection, name, 0)
            if compared is None or compared.equal:
                return None
            view = LedgerView(now)
            meter = compared.meter
            if compared.lacking:
                more_held, more_spent = compared.held - meter.held, compared.spent - meter.spent
                view.post([Posting(meter.name, meter.generation, meter.window, more_held, more_spent)])
            view.record(_record(compared, now))
            save(SqlUnitOfWork(connection, self._database), self._accounts, view)
            return compared

        return await self._database.write(work, time_limit=_TIMEOUT_SECONDS)

    def _compared(self, connection: Connection, name: str, pause: float) -> Comparison | None:
        row = connection.execute(select(*meter_rows.columns()).where(meters.c.name == name)).first()
        if row is None:
            return None
        meter = Meter(*row)
        if meter.metric == MONEY:
            return self._money(connection, meter)
        scope = (*_of_limit(connection, meter), entries.c.holds.contains(f'"{name}"', autoescape=True))
        if self._too_many(connection, scope[:-1]):
            return None
        spent = held = 0
        for each in _reservations(connection, select(*entry_rows.columns()).where(*scope), pause):
            hold = next((hold for hold in each.holds if (hold.meter, hold.generation, hold.window) == _place(meter)), None)
            if hold is None or each.entry.state in UNSENT:
                continue
            if each.entry.state == HELD:
                held += hold.amount
            elif meter.metric != CONCURRENCY:
                spent += amounts.used(each.entry.lines, each.subjects).get(meter.subject, {}).get(meter.metric, 0)
        return Comparison(meter, saturated(spent), saturated(held))

    def _money(self, connection: Connection, meter: Meter) -> Comparison | None:
        """As a new budget would be counted."""
        scope = _in_window(meter)
        own = (*scope, _paid_by(meter.subject), entries.c.shared.is_(False))
        if self._too_many(connection, own):
            return None
        spent = sum_of(connection, entries.c.charged, *own, entries.c.state != HELD)
        held = sum_of(connection, entries.c.reserved, *own, entries.c.state == HELD)
        domain = entries.c.domain == domain_of(meter.subject)
        for shared in _reservations(connection, select(*entry_rows.columns()).where(*scope, domain, entries.c.shared.is_(True)), 0):
            if shared.entry.state == HELD:
                held += sum(line.reserved for line in shared.lines if amounts.pays(line.payer, meter.subject))
            elif shared.entry.state not in UNSENT:
                spent += sum(line.charge.nanos for line in shared.entry.lines if amounts.pays(line.charge_to, meter.subject))
        return Comparison(meter, saturated(spent), saturated(held))

    def _too_many(self, connection: Connection, conditions: Sequence[ColumnElement[bool]]) -> bool:
        some = select(entries.c.id).where(*conditions).limit(self._most + 1).subquery()
        return connection.execute(select(func.count()).select_from(some)).scalar_one() > self._most


def sum_of(connection: Connection, column: ColumnElement[int], *conditions: ColumnElement[bool]) -> int:
    """A sum that no engine overflows: units and the rest of nanos apart."""
    parts = select(func.coalesce(func.sum(column // NANO), 0), func.coalesce(func.sum(column % NANO), 0)).where(*conditions)
    units, rest = connection.execute(parts).one()
    return int(units) * NANO + int(rest)


def _place(meter: Meter) -> tuple[str, int, int]:
    return meter.name, meter.generation, meter.window


def _paid_by(subject: str) -> ColumnElement[bool]:
    """Entries of a project, or of all projects of a domain."""
    return entries.c.project == subject if "/projects/" in subject else entries.c.domain == subject


def _in_window(meter: Meter) -> tuple[ColumnElement[bool], ...]:
    end = window_end(meter.period, meter.window)
    begun = entries.c.reserve_time >= meter.window
    return (begun,) if end is None else (begun, entries.c.reserve_time < end)


def _of_limit(connection: Connection, meter: Meter) -> tuple[ColumnElement[bool], ...]:
    """Entries that a limit may have counted: those since it counts, of the domains that it binds."""
    if meter.metric == CONCURRENCY:
        return (entries.c.state == HELD,)
    if meter.subject.startswith("domains/"):
        domains = [domain_of(meter.subject)]
    else:
        domains = list(connection.execute(select(entries.c.domain).distinct()).scalars())
    return (entries.c.domain.in_(domains), entries.c.reserve_time >= max(meter.window, meter.generation))


def _reservations(connection: Connection, statement: Select[tuple[object, ...]], pause: float) -> Iterator[Reservation]:
    """Reservations, in slices with pauses, in which others get the interpreter."""
    for number, row in enumerate(connection.execute(statement.execution_options(yield_per=_SLICE)), start=1):
        yield entry_rows.reservation_of(row)
        if pause and number % _SLICE == 0:
            time.sleep(pause)


def _record(compared: Comparison, now: int) -> AuditEntry:
    meter = compared.meter
    detail = f"counted {meter.spent} spent and {meter.held} held, the entries add up to {compared.spent} and {compared.held}"
    domain = domain_of(meter.name)
    return AuditEntry(domain=domain, action="ledger.meterDifference", resource=meter.name, allowed=False, detail=detail, time=now)
