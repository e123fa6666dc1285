"""`ApplyPolicy`: brings everything that is named to the wanted state, in one transaction, or says what would change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import ledger_pb2, rules_pb2
from llm_mesh_policy.domain import checks
from llm_mesh_policy.domain.kinds import BINDINGS, DOMAINS, FLOORS, PRINCIPALS, PROJECTS, ROLES, ResourceKind
from llm_mesh_policy.domain.unit_of_work import UnitOfWork
from llm_mesh_policy.rules.domain.access import save_binding, save_domain, save_principal, save_project, save_role
from llm_mesh_policy.rules.domain.flooring import bound_domain, floor_place, note_floor, require_domain, save_floor
from llm_mesh_policy.rules.domain.rulebook import PLATFORM
from llm_mesh_runtime.errors import MeshError, invalid
from llm_mesh_runtime.resources import ALL, applied, change_of, check_masks, domain_of, is_within

if TYPE_CHECKING:
    from llm_mesh_policy.domain.actor import Actor
    from llm_mesh_policy.rules.domain.changes import Change, Changes

M = TypeVar("M", bound=Message)

Money = ledger_pb2.Budget | ledger_pb2.Limit
Masks = Mapping[str, FieldMask]
"""Which fields change, by resource name."""

MOST_ENTRIES = 500
MOST_MONEY = 100
"""Budgets and limits among them."""

_RESOURCES = ("floors", "domains", "projects", "principals", "roles", "bindings")
_NO_CHANGE = resources_pb2.CHANGE_ACTION_NONE
_IGNORED = ("name", "etag", "create_time", "update_time", "built_in", "state", "floor", "effective", "conflicts")


class EntryChange(NamedTuple):
    """What one entry changes, and the resource before and after, without what is only shown; None: it does not exist."""

    change: resources_pb2.Change
    before: Message | None
    after: Message | None


class LedgerChanges(Protocol):
    """The ledger's share: budgets and limits."""

    def apply_budget(self, unit: UnitOfWork, budget: ledger_pb2.Budget, masks: Masks, *, dry_run: bool) -> EntryChange:
        """Brings a budget to the wanted state; deletes it where its mask names an amount that is unset."""

    def apply_limit(self, unit: UnitOfWork, limit: ledger_pb2.Limit, masks: Masks, *, dry_run: bool) -> EntryChange:
        """Brings a limit to the wanted state."""


class Applying:
    """Applies wanted states."""

    def __init__(self, changes: Changes, ledger: LedgerChanges) -> None:
        self._changes = changes
        self._ledger = ledger

    async def apply(self, actor: Actor, request: rules_pb2.ApplyPolicyRequest) -> rules_pb2.ApplyPolicyResponse:
        """What changed, or would. Each resource needs the right that its own method needs."""
        DOMAINS.place(request.parent, "parent")
        _check_size(request)
        _check_places(request)
        check_masks(request.update_masks, {item.name for field in (*_RESOURCES, "budgets", "limits") for item in getattr(request, field)})

        def work(change: Change) -> list[resources_pb2.Change]:
            changes = list(_resources(change, request))
            for place, own, resource in _money(request):
                with _renamed(own, place):
                    _check_money(change, resource, request.update_masks)
            return changes

        def finish(change: Change, changes: list[resources_pb2.Change]) -> list[resources_pb2.Change]:
            changes = [*changes, *(self._apply_money(change, request, *each) for each in _money(request))]
            if request.dry_run:
                raise _ApplyDryRunError(changes)
            return changes

        try:
            done = await self._changes.make_many(actor, work, finish)
        except _ApplyDryRunError as dry:
            return rules_pb2.ApplyPolicyResponse(changes=dry.changes)
        changed = any(change.action != _NO_CHANGE for change in done.value)
        return rules_pb2.ApplyPolicyResponse(changes=done.value, revision=done.revision if changed else 0)

    def _apply_money(
        self, change: Change, request: rules_pb2.ApplyPolicyRequest, place: str, own: str, resource: Money
    ) -> resources_pb2.Change:
        masks, dry_run = request.update_masks, request.dry_run
        with _renamed(own, place):
            if isinstance(resource, ledger_pb2.Budget):
                action, step = _action_on(resource, masks), self._ledger.apply_budget(change.transaction, resource, masks, dry_run=dry_run)
            else:
                action, step = "limits.put", self._ledger.apply_limit(change.transaction, resource, masks, dry_run=dry_run)
            _note(change, action, step)
            return step.change


def _money(request: rules_pb2.ApplyPolicyRequest) -> Iterator[tuple[str, str, Money]]:
    """Budgets and limits: the place in the request, what they are, and each of them."""
    yield from ((f"budgets[{number}]", "budget", budget) for number, budget in enumerate(request.budgets))
    yield from ((f"limits[{number}]", "limit", limit) for number, limit in enumerate(request.limits))


def deletes(budget: ledger_pb2.Budget, masks: Masks) -> bool:
    """Whether an entry unsets the amount of a budget: a budget without an amount is none."""
    paths = masks[budget.name].paths if budget.name in masks else ()
    return not budget.HasField("amount") and not {"amount", ALL}.isdisjoint(paths)


def _action_on(budget: ledger_pb2.Budget, masks: Masks) -> str:
    return "budgets.delete" if deletes(budget, masks) else "budgets.put"


def _check_money(change: Change, resource: Money, masks: Masks) -> None:
    if isinstance(resource, ledger_pb2.Budget):
        _check_budget_subject(change, resource)
        change.require(_action_on(resource, masks), resource.name)
    else:
        _check_owner(change, DOMAINS, domain_of(resource.name), "limit.name")
        change.require("limits.put", resource.name)


def _check_size(request: rules_pb2.ApplyPolicyRequest) -> None:
    """The store is held while all is written, so only so much at a time; budgets and limits take longer each."""
    money = len(request.budgets) + len(request.limits)
    total = money + sum(len(getattr(request, field)) for field in _RESOURCES)
    if total > MOST_ENTRIES:
        longest = max((*_RESOURCES, "budgets", "limits"), key=lambda field: len(getattr(request, field)))
        raise invalid(longest, f"at most {MOST_ENTRIES} resources in one call, not {total}: split them among several calls")
    if money > MOST_MONEY:
        field = "budgets" if len(request.budgets) >= len(request.limits) else "limits"
        raise invalid(field, f"at most {MOST_MONEY} budgets and limits in one call, not {money}: split them among several calls")


@contextmanager
def _renamed(own: str, place: str) -> Iterator[None]:
    """Names the element of the request in refusals that name a field of the element alone."""
    try:
        yield
    except MeshError as error:
        if not error.field.startswith(own + "."):
            raise
        raise invalid(place + error.field.removeprefix(own), error.message.removeprefix(f"{error.field}: ")) from error


class _ApplyDryRunError(Exception):
    """Undoes the transaction and carries what it would have changed."""

    def __init__(self, changes: list[resources_pb2.Change]) -> None:
        super().__init__()
        self.changes = changes


def _check_owner(change: Change, kind: ResourceKind[M], owner: str, field: str) -> None:
    if kind.find(change.transaction, owner, field) is None:
        raise invalid(field, f"must be of a {kind.noun} that exists, or that the same call makes")


def _check_budget_subject(change: Change, budget: ledger_pb2.Budget) -> None:
    """A budget binds the project in its name; those of the platform the domain or project that they name."""
    if not budget.name.startswith(f"{PLATFORM}/budgets/"):
        _check_owner(change, PROJECTS, budget.name.removesuffix("/budget"), "budget.name")
    elif DOMAINS.pattern.matches(budget.subject):
        _check_owner(change, DOMAINS, budget.subject, "budget.subject")
    else:
        _check_owner(change, PROJECTS, budget.subject, "budget.subject")


def _check_places(request: rules_pb2.ApplyPolicyRequest) -> None:
    """All within the parent; `domains/platform` stands for all domains."""
    if request.parent == PLATFORM:
        return
    for field in (*_RESOURCES, "budgets", "limits"):
        for number, desired in enumerate(getattr(request, field)):
            if not is_within(desired.name, request.parent):
                raise invalid(f"{field}[{number}].name", f"must be within {request.parent}")


def _floors(change: Change, request: rules_pb2.ApplyPolicyRequest) -> Iterable[resources_pb2.Change]:
    """Floors come first, so that what else is applied is bound by them."""
    domains = {domain.name for domain in request.domains}
    for number, desired in enumerate(request.floors):
        field = f"floors[{number}]"
        floor_place(desired.name, f"{field}.name")
        before = FLOORS.find(change.transaction, desired.name)
        floor = applied(before, desired, request.update_masks, mutable=FLOORS.mutable)
        step = change_of(floor.name, before, floor, ignore=_IGNORED)
        if step.action != _NO_CHANGE:
            if bound_domain(floor.name) not in domains:
                require_domain(change, floor.name, f"{field}.name")
            change.require("floors.put", floor.name)
            note_floor(change, before, save_floor(change, floor, field))
        yield step


def _resources(change: Change, request: rules_pb2.ApplyPolicyRequest) -> Iterable[resources_pb2.Change]:
    yield from _floors(change, request)
    masks = request.update_masks
    yield from _each(change, DOMAINS, request.domains, masks, lambda desired, field: save_domain(change, desired, field))
    yield from _each(change, PROJECTS, request.projects, masks, lambda desired, field: save_project(change, desired, field))
    yield from _each(change, PRINCIPALS, request.principals, masks, lambda desired, field: save_principal(change, desired, field))
    yield from _each(change, ROLES, request.roles, masks, lambda desired, field: save_role(change, desired, field), verbs=("put", "put"))
    yield from _each(
        change, BINDINGS, request.bindings, masks, lambda desired, field: save_binding(change, desired, field), verbs=("create", "create")
    )


def _each(
    change: Change,
    kind: ResourceKind[M],
    desired: Iterable[M],
    masks: Masks,
    save: Callable[[M, str], M],
    *,
    verbs: tuple[str, str] = ("create", "update"),
) -> Iterable[resources_pb2.Change]:
    for number, one in enumerate(desired):
        field = f"{kind.collection}[{number}]"
        desired_fields: Any = one
        kind.place(desired_fields.name, f"{field}.name")
        current = kind.find(change.transaction, desired_fields.name)
        target = applied(current, one, masks, mutable=kind.mutable - {"state"})
        yield _one(change, kind, current, target, field, save, verbs)


def _one(  # noqa: PLR0917 (what a change of a resource is made of)
    change: Change, kind: ResourceKind[M], current: M | None, desired: M, field: str, save: Callable[[M, str], M], verbs: tuple[str, str]
) -> resources_pb2.Change:
    """Brings one resource to its wanted state, where that needs anything."""
    fields: Any = desired
    name: str = fields.name
    domain, identity = kind.place(name)
    step = change_of(name, current, desired, ignore=_IGNORED)
    if current is None:
        checks.new_id(identity, f"{field}.name")
        if kind.collection != DOMAINS.collection and DOMAINS.find(change.transaction, f"domains/{domain}") is None:
            raise invalid(f"{field}.name", "must be in a domain that exists, or that the same call makes")
    if step.action == _NO_CHANGE:
        return step
    action = f"{kind.collection}.{verbs[current is not None]}"
    change.require(action, name)
    _note(change, action, EntryChange(step, current, save(desired, field)))
    return step


def _note(change: Change, action: str, step: EntryChange) -> None:
    made = step.change
    if made.action != _NO_CHANGE:
        whole = "deleted" if made.action == resources_pb2.CHANGE_ACTION_DELETE else "created"
        detail = "changed " + ", ".join(field.path for field in made.fields) if made.fields else whole
        change.note(action, made.resource, detail, before=step.before, after=step.after)
