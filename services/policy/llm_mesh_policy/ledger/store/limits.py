"""Budgets and limits set by people. A budget counts what its project spent and holds already; a limit counts from its creation on."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import orjson
from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import ledger_pb2
from llm_mesh_figures.money import saturated
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.domain.unit_of_work import UnitOfWork
from llm_mesh_policy.ledger.domain.amounts import pays
from llm_mesh_policy.ledger.domain.limits import (
    EACH_DOMAIN,
    PLATFORM,
    DesiredMeter,
    budget_of,
    check_budget_name,
    fresh_meter,
    limit_of,
    meter_of_budget,
    meter_of_limit,
)
from llm_mesh_policy.ledger.domain.meters import MONEY, Hold, Meter
from llm_mesh_policy.ledger.domain.reservation import ESTIMATED, HELD, UNSENT, Reservation
from llm_mesh_policy.ledger.store import each_domain, entry_rows, meter_rows
from llm_mesh_policy.ledger.store.ledger import lock
from llm_mesh_policy.ledger.store.loading import OtherSlices
from llm_mesh_policy.ledger.store.sums import sum_of
from llm_mesh_policy.ledger.store.tables import entries, meters
from llm_mesh_policy.rules.ports import EntryChange, Masks, deletes
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork, connection_of
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError, not_found
from llm_mesh_runtime.resources import Quotas, applied, change_of, digest_of, domain_of

_OUTPUT_ONLY = ("spent", "held", "period_end_time", "close_time")
_SPENDING = ("spent", "held", "period_end_time")
_BUDGET = ("amount", "period", "subject")
_LIMIT = ("subject", "metric", "amount", "window", "tag_required")


class LedgerLimits:
    """Reads and writes budgets and limits."""

    def __init__(self, database: Database, accounts: OtherSlices, quotas: Quotas, *, currency: str) -> None:
        self._database = database
        self._accounts = accounts
        self._quotas = quotas
        self._currency = currency

    async def put_budget(self, budget: ledger_pb2.Budget, audit: AuditEntry) -> ledger_pb2.Budget:
        """Creates or replaces a budget."""
        desired = meter_of_budget(budget, self._currency)
        return budget_of(*await self._put(desired, audit), self._currency)

    async def put_limit(self, limit: ledger_pb2.Limit, audit: AuditEntry) -> ledger_pb2.Limit:
        """Creates or replaces a limit."""
        meter, _ = await self._put(meter_of_limit(limit), audit)
        return limit_of(meter)

    def apply_budget(self, unit: UnitOfWork, budget: ledger_pb2.Budget, masks: Masks, *, dry_run: bool) -> EntryChange:
        """Brings a budget to the wanted state, within another's transaction. One that is closed stays so."""
        check_budget_name(budget.name, "budget.name")
        connection = connection_of(unit)
        lock(connection)
        before = _find(connection, budget.name)
        now = self._database.now(connection)
        old = budget_of(before, now, self._currency) if before else None
        if deletes(budget, masks):
            change = self._apply_deletion(connection, budget.name, known=before is not None, dry_run=dry_run)
            return EntryChange(change, self._set_of(before), None)
        desired = meter_of_budget(applied(old, budget, masks, mutable=_BUDGET), self._currency)
        new = budget_of(fresh_meter(desired, now), now, self._currency)
        return self._apply(connection, desired, before, change_of(desired.name, old, new, ignore=_OUTPUT_ONLY), dry_run=dry_run)

    def apply_limit(self, unit: UnitOfWork, limit: ledger_pb2.Limit, masks: Masks, *, dry_run: bool) -> EntryChange:
        """Brings a limit to the wanted state, within another's transaction."""
        connection = connection_of(unit)
        lock(connection)
        before = _find(connection, limit.name)
        old = limit_of(before) if before else None
        desired = meter_of_limit(applied(old, limit, masks, mutable=_LIMIT))
        new = limit_of(fresh_meter(desired, 0))
        return self._apply(connection, desired, before, change_of(desired.name, old, new), dry_run=dry_run)

    async def delete_limit(self, name: str, audit: AuditEntry) -> None:
        """Deletes a limit; what was held of it is forgotten."""
        await self._delete(name, meters.c.metric != MONEY, audit)

    async def delete_budget(self, name: str, audit: AuditEntry) -> None:
        """Deletes a budget; what was spent stays in the ledger."""
        await self._delete(name, meters.c.metric == MONEY, audit)

    async def _delete(self, name: str, kind: ColumnElement[bool], audit: AuditEntry) -> None:
        def work(connection: Connection) -> bool:
            lock(connection)
            before = _find(connection, name)
            gone = connection.execute(delete(meters).where(meters.c.name == name, kind)).rowcount > 0
            if gone:
                each_domain.delete_limit(connection, name)
                audit.before = digest_of(self._set_of(before))
                self._accounts.extend_audit(SqlUnitOfWork(connection, self._database), [audit])
            return gone

        if not await self._database.write(work):
            raise not_found(name)

    async def budget(self, name: str) -> ledger_pb2.Budget | None:
        """A budget with what is spent and held."""
        meter, now = await self._database.read(lambda connection: (_find(connection, name), self._database.now(connection)))
        return budget_of(meter, now, self._currency) if meter else None

    async def budgets(self, domain: str, after: str, limit: int) -> Sequence[ledger_pb2.Budget]:
        """Budgets of a domain, by name."""
        page_of_meters, now = await self._page(domain, after, limit, money=True)
        return [budget_of(meter, now, self._currency) for meter in page_of_meters]

    async def limits(self, domain: str, after: str, limit: int) -> Sequence[ledger_pb2.Limit]:
        """Limits of a domain, by name."""
        page_of_meters, _ = await self._page(domain, after, limit, money=False)
        return [limit_of(meter) for meter in page_of_meters]

    async def _page(self, domain: str, after: str, limit: int, *, money: bool) -> tuple[list[Meter], int]:
        kind = meters.c.metric == MONEY if money else meters.c.metric != MONEY
        statement = select(*meter_rows.columns()).where(_concerns(domain), meters.c.name > after, kind)
        statement = statement.order_by(meters.c.name).limit(limit)

        def work(connection: Connection) -> tuple[list[Meter], int]:
            return [Meter(*row) for row in connection.execute(statement)], self._database.now(connection)

        return await self._database.read(work)

    async def _put(self, desired: DesiredMeter, audit: AuditEntry) -> tuple[Meter, int]:
        def work(connection: Connection) -> tuple[Meter, int] | MeshError:
            lock(connection)
            now = self._database.now(connection)
            before = _find(connection, desired.name)
            meter = self._put_in(connection, desired, before, now, opens=True)
            audit.before, audit.after = digest_of(self._set_of(before)), digest_of(self._set_of(meter))
            self._accounts.extend_audit(SqlUnitOfWork(connection, self._database), [audit])
            return meter, now

        result = await self._database.write(work)
        if isinstance(result, MeshError):
            raise result
        return result

    def _apply_deletion(self, connection: Connection, name: str, *, known: bool, dry_run: bool) -> resources_pb2.Change:
        if not known:
            return resources_pb2.Change(resource=name, action=resources_pb2.CHANGE_ACTION_NONE)
        if not dry_run:
            connection.execute(delete(meters).where(meters.c.name == name))
            each_domain.delete_limit(connection, name)
        return resources_pb2.Change(resource=name, action=resources_pb2.CHANGE_ACTION_DELETE, loosens=True)

    def _apply(
        self, connection: Connection, desired: DesiredMeter, before: Meter | None, change: resources_pb2.Change, *, dry_run: bool
    ) -> EntryChange:
        if dry_run or change.action == resources_pb2.CHANGE_ACTION_NONE:
            return EntryChange(change, None, None)
        meter = self._put_in(connection, desired, before, self._database.now(connection), opens=False)
        return EntryChange(change, self._set_of(before), self._set_of(meter))

    def _set_of(self, meter: Meter | None) -> ledger_pb2.Budget | ledger_pb2.Limit | None:
        """What people set of a budget or limit, and whether it is closed."""
        if meter is None:
            return None
        if meter.metric != MONEY:
            return limit_of(meter)
        budget = budget_of(meter, meter.window, self._currency)
        for name in _SPENDING:
            budget.ClearField(name)
        return budget

    def _put_in(self, connection: Connection, desired: DesiredMeter, before: Meter | None, now: int, *, opens: bool) -> Meter:
        meter = self._written(connection, desired, before, now, opens=opens)
        if before is None:
            of_kind = meters.c.metric == MONEY if desired.metric == MONEY else meters.c.metric != MONEY
            count = connection.execute(select(func.count()).where(meters.c.domain == desired.domain, of_kind)).scalar_one()
            self._quotas.check(desired.domain, "budgets" if desired.metric == MONEY else "limits", count)
        return meter

    def _written(self, connection: Connection, desired: DesiredMeter, before: Meter | None, now: int, *, opens: bool) -> Meter:
        """Writes a meter; `opens` a budget that was closed."""
        closed = before.closed if before is not None and not opens else 0
        if before is not None and desired.same_counts(before):
            meter = replace(before, amount=desired.amount, closed=closed, tag_scope=desired.tag_scope)
        else:
            meter = replace(fresh_meter(desired, now), closed=closed)
            if desired.metric == MONEY:
                meter = _counted(connection, meter, domain_of(meter.subject))
        each_domain.write(connection, meter, desired.domain)
        if desired.domain == PLATFORM:
            each_domain.put_limit(connection, desired, now, self._domains(connection))
        return meter

    def _domains(self, connection: Connection) -> Collection[str]:
        return self._accounts.domain_names(SqlUnitOfWork(connection, self._database))


def _concerns(domain: str) -> ColumnElement[bool]:
    """The meters of a domain, and those by which the platform binds it."""
    subject = meters.c.subject
    within = [subject.startswith(prefix, autoescape=True) for prefix in (f"{domain}/", "tag:", f"model:{domain}/", "model:domains/shared/")]
    return or_(meters.c.domain == domain, and_(meters.c.domain == PLATFORM, or_(subject.in_((domain, EACH_DOMAIN)), *within)))


def _find(connection: Connection, name: str) -> Meter | None:
    row = connection.execute(select(*meter_rows.columns()).where(meters.c.name == name)).first()
    return None if row is None else Meter(*row)


def _counted(connection: Connection, meter: Meter, domain: str) -> Meter:
    """A new budget with what its subject has spent and holds in the present period; open entries hold of it from now on."""
    inside = (entries.c.domain == domain, entries.c.reserve_time >= meter.window)
    of_project = () if meter.subject == domain else (entries.c.project == meter.subject,)
    own = (*inside, *of_project, entries.c.shared.is_(False))
    spent = sum_of(connection, entries.c.charged, *own, entries.c.state != HELD)
    held = sum_of(connection, entries.c.reserved, *own, entries.c.state == HELD)
    for shared in _reservations(connection, *inside, entries.c.shared.is_(True)):
        if shared.entry.state == HELD:
            held += _share(shared, meter.subject)
        elif shared.entry.state not in UNSENT:
            spent += sum(line.charge.nanos for line in shared.entry.lines if pays(line.charge_to, meter.subject))
    for open_entry in _reservations(connection, *inside, entries.c.state.in_((HELD, ESTIMATED))):
        _attach(connection, open_entry, meter)
    return replace(meter, spent=saturated(spent), held=saturated(held))


def _reservations(connection: Connection, *conditions: object) -> list[Reservation]:
    statement = select(*entry_rows.columns()).where(*conditions)  # type: ignore[arg-type] # conditions of SQLAlchemy
    return [entry_rows.reservation_of(row) for row in connection.execute(statement)]


def _share(reservation: Reservation, subject: str) -> int:
    return sum(line.reserved for line in reservation.lines if pays(line.payer, subject))


def _attach(connection: Connection, reservation: Reservation, meter: Meter) -> None:
    if not any(pays(line.payer, meter.subject) for line in reservation.lines):
        return
    hold = Hold(meter.name, meter.generation, meter.window, meter.subject, MONEY, _share(reservation, meter.subject))
    holds = (*(each for each in reservation.holds if each.meter != meter.name), hold)
    changed = update(entries).where(entries.c.id == reservation.id).values(holds=orjson.dumps(holds).decode())
    connection.execute(changed)
