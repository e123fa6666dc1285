"""Roles and bindings: put, listed, deleted; accepted by the domains whose principals they name."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import errors_pb2, rules_pb2
from llm_mesh_policy.domain import checks
from llm_mesh_policy.domain.errors import PolicyError
from llm_mesh_policy.domain.kinds import BINDINGS, DOMAINS, PRINCIPALS, ROLES
from llm_mesh_policy.rules.domain.access import require_role_covered, save_binding, save_role
from llm_mesh_policy.rules.domain.consent import ACTIVE, is_foreign, state_of
from llm_mesh_policy.rules.domain.escalation import require_covered
from llm_mesh_policy.rules.domain.explaining import ALL_DOMAINS
from llm_mesh_policy.rules.domain.roles import BUILT_IN
from llm_mesh_policy.rules.domain.room import require_room
from llm_mesh_policy.rules.domain.rulebook import PLATFORM, scope_of
from llm_mesh_runtime.errors import already_exists, invalid, not_found
from llm_mesh_runtime.resources import domain_of

if TYPE_CHECKING:
    from llm_mesh_policy.domain.actor import Actor
    from llm_mesh_policy.domain.resources import ResourceStore, Transaction
    from llm_mesh_policy.rules.domain.changes import Change, Changes, Done
    from llm_mesh_policy.rules.domain.live import Live
    from llm_mesh_runtime.resources import Page

_MOST_USERS = 10
_SEQUENCE_DIGITS = 18


class Administration:
    """The rules, for those who make them."""

    def __init__(self, store: ResourceStore, changes: Changes, live: Live) -> None:
        self._store = store
        self._changes = changes
        self._live = live

    async def put_role(self, actor: Actor, role: rules_pb2.Role) -> Done[rules_pb2.Role]:
        """Creates or replaces a role of a domain."""
        domain, identity = ROLES.place(role.name, "role.name")

        def work(change: Change) -> rules_pb2.Role:
            checks.new_id(identity, "role.name")
            DOMAINS.get(change.transaction, f"domains/{domain}")
            before = ROLES.find(change.transaction, role.name)
            saved = save_role(change, role)
            change.note("roles.put", saved.name, f"{len(saved.permissions)} permissions", before=before, after=saved)
            return saved

        return await self._changes.make(actor, work)

    async def delete_role(self, actor: Actor, name: str) -> int:
        """Deletes a role that nobody holds; answers with the revision."""
        place = ROLES.place(name)

        def work(change: Change) -> None:
            gone = ROLES.get(change.transaction, name)
            require_role_covered(change, gone)
            users = sorted(binding.name for binding in change.snapshot.bindings.values() if binding.role == name)
            if users:
                reason = errors_pb2.ERROR_REASON_IN_USE
                raise PolicyError(reason, f"{name} is held by {len(users)} bindings", users=",".join(users[:_MOST_USERS]))
            change.transaction.remove(ROLES.collection, *place)
            change.note("roles.delete", name, before=gone)

        return (await self._changes.make(actor, work)).revision

    async def roles(self, parent: str, page: Page) -> tuple[Sequence[rules_pb2.Role], str]:
        """The built-in roles, then those of a domain by name."""
        domain, _ = DOMAINS.place(parent, "parent")
        built_in = [role for role in BUILT_IN.values() if _built_in_key(role) > page.after]
        after = page.after.removeprefix("1/") if page.after.startswith("1/") else ""
        rows = await self._store.read(lambda transaction: transaction.page(ROLES.collection, domain, after, page.limit))
        listed = [*built_in, *map(ROLES.unpack, rows)]
        return page.cut(listed[: page.limit], lambda role: _built_in_key(role) if role.built_in else "1/" + role.name.rpartition("/")[2])

    async def create_binding(self, actor: Actor, parent: str, identity: str, binding: rules_pb2.Binding) -> Done[rules_pb2.Binding]:
        """Gives a principal a role."""
        DOMAINS.place(parent, "parent")
        name = f"{parent}/bindings/{checks.new_id(identity, 'binding_id') if identity else 'b-' + secrets.token_hex(8)}"

        def work(change: Change) -> rules_pb2.Binding:
            DOMAINS.get(change.transaction, parent, "parent")
            if BINDINGS.find(change.transaction, name):
                raise already_exists(name)
            desired = rules_pb2.Binding(name=name, principal=binding.principal, role=binding.role, scope=binding.scope)
            saved = save_binding(change, desired)
            change.note("bindings.create", name, f"{saved.role} for {saved.principal} in {scope_of(saved)}", after=saved)
            return saved

        return await self._changes.make(actor, work)

    async def delete_binding(self, actor: Actor, name: str) -> int:
        """Takes a role away; answers with the revision."""
        place = BINDINGS.place(name)

        def work(change: Change) -> None:
            gone = BINDINGS.get(change.transaction, name)
            require_covered(change, change.snapshot.rules.rules_of(gone), name)
            change.transaction.remove(BINDINGS.collection, *place)
            change.note("bindings.delete", name, f"{gone.role} of {gone.principal} in {scope_of(gone)}", before=gone)

        return (await self._changes.make(actor, work)).revision

    async def accept_binding(self, actor: Actor, name: str, principal: str) -> Done[rules_pb2.Binding]:
        """Makes a binding of another domain active, for the principal's domain."""
        BINDINGS.place(name)
        PRINCIPALS.place(principal, "principal")

        def work(change: Change) -> rules_pb2.Binding:
            binding = _binding_of(change, name, principal)
            PRINCIPALS.get(change.transaction, principal, "principal")
            if state_of(binding) == ACTIVE == binding.state:
                return binding
            before = rules_pb2.Binding()
            before.CopyFrom(binding)
            binding.state = ACTIVE
            saved = BINDINGS.save(change.transaction, binding, "binding")
            require_room(change, saved, before)
            _note_consent(change, "bindings.accept", before, saved)
            return saved

        return await self._changes.make(actor, work)

    async def reject_binding(self, actor: Actor, name: str, principal: str) -> int:
        """Deletes a binding of another domain, for the principal's domain; answers with the revision."""
        place = BINDINGS.place(name)
        PRINCIPALS.place(principal, "principal")

        def work(change: Change) -> None:
            binding = _binding_of(change, name, principal)
            if domain_of(name) == PLATFORM:
                require_covered(change, change.snapshot.rules.rules_of(binding), name)
            change.transaction.remove(BINDINGS.collection, *place)
            _note_consent(change, "bindings.reject", binding, None)

        return (await self._changes.make(actor, work)).revision

    async def foreign_bindings(self, parent: str, page: Page) -> tuple[Sequence[rules_pb2.Binding], str]:
        """The bindings of other domains that name principals of a domain, by name."""
        DOMAINS.place(parent, "parent")
        snapshot = await self._live.refresh()
        listed = await asyncio.to_thread(_foreign_to, snapshot.bindings.values(), parent, page.after, page.limit)
        return page.cut(listed, lambda binding: binding.name)

    async def bindings(self, parent: str, page: Page) -> tuple[Sequence[rules_pb2.Binding], str]:
        """Who holds which role in a domain, by name."""
        domain, _ = DOMAINS.place(parent, "parent")
        rows = await self._store.read(lambda transaction: transaction.page(BINDINGS.collection, domain, page.after, page.limit))
        shown, token = page.cut(rows, lambda row: row.id)
        return [_with_state(BINDINGS.unpack(row)) for row in shown], token

    async def audit_records(self, parent: str, request_id: str, page: Page) -> tuple[Sequence[rules_pb2.AuditRecord], str]:
        """What was decided and changed in a domain, or in all, newest first."""
        DOMAINS.place(parent, "parent")
        if page.after and not (page.after.isdecimal() and len(page.after) <= _SEQUENCE_DIGITS):
            raise invalid("page_token", "must be the next_page_token of an answer to the same request")
        domain, before = "" if parent == ALL_DOMAINS else parent, int(page.after or 0)

        def work(transaction: Transaction) -> list[rules_pb2.AuditRecord]:
            return transaction.page_audit(domain, request_id, before, page.limit)

        return page.cut(await self._store.read(work), lambda record: str(record.sequence))


def _built_in_key(role: rules_pb2.Role) -> str:
    return "0/" + role.name


def _binding_of(change: Change, name: str, principal: str) -> rules_pb2.Binding:
    """A binding of another domain for a principal; NOT_FOUND where it is not there or names somebody else."""
    binding = BINDINGS.find(change.transaction, name)
    if binding is None or binding.principal != principal or not is_foreign(binding):
        raise not_found(name)
    return binding


def _note_consent(change: Change, action: str, binding: rules_pb2.Binding, after: rules_pb2.Binding | None) -> None:
    """Adds the audit rows of both domains."""
    detail = f"{binding.role} for {binding.principal} in {scope_of(binding)}"
    change.note(action, binding.name, detail, before=binding, after=after)
    change.note(action, binding.principal, f"{binding.name}: {detail}")


def _foreign_to(bindings: Iterable[rules_pb2.Binding], parent: str, after: str, limit: int) -> list[rules_pb2.Binding]:
    foreign = (each for each in bindings if is_foreign(each) and domain_of(each.principal) == parent and each.name > after)
    return [_with_state(binding) for binding in sorted(foreign, key=lambda each: each.name)[:limit]]


def _with_state(stored: rules_pb2.Binding) -> rules_pb2.Binding:
    shown = rules_pb2.Binding()
    shown.CopyFrom(stored)
    shown.state = state_of(stored)
    return shown
