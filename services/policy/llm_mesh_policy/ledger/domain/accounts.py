"""The ledger as people see and govern it: budgets, limits, entries, and the truth where an entry was estimated."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from llm_mesh.policy.v1 import identity_pb2, ledger_pb2, usage_pb2
from llm_mesh_policy.domain.actor import Actor
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain.alerts import Alerts
from llm_mesh_policy.ledger.domain.limits import LIMIT, check_budget_name, meter_of_budget, meter_of_limit
from llm_mesh_runtime.errors import invalid, not_found
from llm_mesh_runtime.resources import NamePattern
from llm_mesh_runtime.resources.paging import Page

_ENTRY = NamePattern("domains/{domain}/projects/{project}/reservations/{reservation}", segment="[a-zA-Z0-9-]{1,63}")
_DOMAIN = NamePattern("domains/{domain}")
_PROJECT = NamePattern("domains/{domain}/projects/{project}")
_LONGEST_NOTE = 512
_TIME_DIGITS = 20


class LimitStore(Protocol):
    """Where budgets and limits are kept."""

    async def budget(self, name: str) -> ledger_pb2.Budget | None: ...

    async def put_budget(self, budget: ledger_pb2.Budget, audit: AuditEntry) -> ledger_pb2.Budget:
        """Creates or replaces one."""

    async def budgets(self, domain: str, after: str, limit: int) -> Sequence[ledger_pb2.Budget]:
        """Budgets of a domain, by name."""

    async def put_limit(self, limit: ledger_pb2.Limit, audit: AuditEntry) -> ledger_pb2.Limit:
        """Creates or replaces a limit."""

    async def limits(self, domain: str, after: str, limit: int) -> Sequence[ledger_pb2.Limit]:
        """Limits of a domain, by name."""

    async def delete_limit(self, name: str, audit: AuditEntry) -> None: ...

    async def delete_budget(self, name: str, audit: AuditEntry) -> None: ...


class Entries(Protocol):
    """Where entries are read."""

    async def entry(self, project: str, reservation_id: str) -> usage_pb2.LedgerEntry | None:
        """An entry of a project."""

    async def page(
        self, tenant: str, *, state: int, request_id: str, before: tuple[int, str] | None, limit: int
    ) -> Sequence[tuple[int, str, usage_pb2.LedgerEntry]]:
        """Entries, newest first."""


class Reconciling(Protocol):
    """Where entries are corrected."""

    async def reconcile(
        self, project: str, reservation_id: str, lines: Sequence[usage_pb2.UsageLine], audit: AuditEntry
    ) -> usage_pb2.LedgerEntry:
        """Writes the truth of an estimated entry."""


class Projects(Protocol):
    """Which domains and projects there are."""

    @property
    def domains(self) -> Mapping[str, identity_pb2.Domain]:
        """By name."""

    @property
    def projects(self) -> Mapping[str, identity_pb2.Project]:
        """By name."""


class AccountIdentity(Protocol):
    """What accounts ask of identity."""

    def snapshot(self) -> Projects:
        """The present state."""


class Accounts:
    """Budgets, limits, entries."""

    def __init__(
        self,
        limits: LimitStore,
        entries: Entries,
        ledger: Reconciling,
        identity: AccountIdentity,
        *,
        currency: str,
        alerts: Alerts | None = None,
    ) -> None:
        self._alerts = Alerts({}) if alerts is None else alerts
        self._limits = limits
        self._entries = entries
        self._ledger = ledger
        self._identity = identity
        self._currency = currency

    async def budget(self, name: str) -> ledger_pb2.Budget:
        """A budget; NOT_FOUND where there is none."""
        check_budget_name(name)
        budget = await self._limits.budget(name)
        if budget is None:
            raise not_found(name)
        return budget

    async def put_budget(self, budget: ledger_pb2.Budget, actor: Actor) -> ledger_pb2.Budget:
        """Sets the budget of a domain or project that exists."""
        checked = meter_of_budget(budget, self._currency)
        known = self._identity.snapshot()
        if checked.subject not in known.projects and checked.subject not in known.domains:
            raise not_found(checked.subject)
        return await self._limits.put_budget(
            budget, _audit(actor, checked.domain, "budgets.put", checked.name, f"amount {checked.amount} nanos")
        )

    async def budgets(self, parent: str, page: Page) -> tuple[Sequence[ledger_pb2.Budget], str]:
        """A page of a domain's budgets."""
        _DOMAIN.parse(parent, "parent")
        return page.cut(await self._limits.budgets(parent, page.after, page.limit), lambda budget: budget.name)

    async def delete_budget(self, name: str, actor: Actor) -> None:
        await self._limits.delete_budget(name, _audit(actor, check_budget_name(name), "budgets.delete", name, ""))

    async def put_limit(self, limit: ledger_pb2.Limit, actor: Actor) -> ledger_pb2.Limit:
        """Sets a limit."""
        checked = meter_of_limit(limit)
        detail = f"{checked.amount} {checked.metric} of {checked.subject}"
        return await self._limits.put_limit(limit, _audit(actor, checked.domain, "limits.put", checked.name, detail))

    async def limits(self, parent: str, page: Page) -> tuple[Sequence[ledger_pb2.Limit], str]:
        """A page of a domain's limits."""
        _DOMAIN.parse(parent, "parent")
        return page.cut(await self._limits.limits(parent, page.after, page.limit), lambda limit: limit.name)

    async def delete_limit(self, name: str, actor: Actor) -> None:
        domain = f"domains/{LIMIT.parse(name)[0]}"
        await self._limits.delete_limit(name, _audit(actor, domain, "limits.delete", name, ""))

    async def entry(self, name: str) -> usage_pb2.LedgerEntry:
        """An entry; NOT_FOUND where the project has none of this id."""
        project, reservation_id, _ = _place(name)
        entry = await self._entries.entry(project, reservation_id)
        if entry is None:
            raise not_found(name)
        return entry

    async def entries(self, parent: str, state: int, request_id: str, page: Page) -> tuple[Sequence[usage_pb2.LedgerEntry], str]:
        """A page of a project's or a domain's entries, newest first."""
        domain, project = _PROJECT.parse(parent, "parent")
        tenant = f"domains/{domain}" if project == "-" else parent
        before = _before(page.after)
        rows = await self._entries.page(tenant, state=state, request_id=request_id, before=before, limit=page.limit)
        shown, token = page.cut(rows, lambda row: f"{row[0]:0{_TIME_DIGITS}d}{row[1]}")
        return [entry for _, _, entry in shown], token

    async def reconcile(self, name: str, lines: Sequence[usage_pb2.UsageLine], note: str, actor: Actor) -> usage_pb2.LedgerEntry:
        """Replaces an estimate by the truth."""
        project, reservation_id, domain = _place(name)
        if not 0 < len(note) <= _LONGEST_NOTE:
            raise invalid("note", f"why, in 1 to {_LONGEST_NOTE} characters")
        audit = _audit(actor, domain, "reservations.reconcile", name, note)
        entry = await self._ledger.reconcile(project, reservation_id, lines, audit)
        self._alerts.charged(entry)
        return entry


def _place(name: str) -> tuple[str, str, str]:
    domain, project, reservation = _ENTRY.parse(name)
    return f"domains/{domain}/projects/{project}", reservation.lower(), f"domains/{domain}"


def _before(after: str) -> tuple[int, str] | None:
    return (int(after[:_TIME_DIGITS]), after[_TIME_DIGITS:]) if after else None


def _audit(actor: Actor, domain: str, action: str, resource: str, detail: str) -> AuditEntry:
    return AuditEntry(
        domain=domain,
        action=action,
        resource=resource,
        allowed=True,
        principal=actor.principal,
        key=actor.key,
        detail=detail,
        request_id=actor.request_id,
        reason=actor.reason,
    )
