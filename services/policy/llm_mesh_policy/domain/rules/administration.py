"""Roles and bindings: put, listed, deleted; and why a decision came out as it did."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import errors_pb2, rules_pb2
from llm_mesh_policy.domain import checks
from llm_mesh_policy.domain.errors import PolicyError
from llm_mesh_policy.domain.identity.mesh_only import MESH_ACTIONS
from llm_mesh_policy.domain.identity.places import absolute
from llm_mesh_policy.domain.kinds import BINDINGS, DOMAINS, PRINCIPALS, ROLES
from llm_mesh_policy.domain.rules.access import save_binding, save_role
from llm_mesh_policy.domain.rules.matching import EVERYWHERE
from llm_mesh_policy.domain.rules.roles import BUILT_IN
from llm_mesh_policy.domain.rules.rulebook import domain_of, scope_of
from llm_mesh_runtime.errors import already_exists, invalid
from llm_mesh_runtime.resources import is_within

if TYPE_CHECKING:
    from llm_mesh_policy.domain.actor import Actor
    from llm_mesh_policy.domain.changes import Change, Changes, Done
    from llm_mesh_policy.domain.identity.live import Live
    from llm_mesh_policy.domain.identity.ports import Store, Transaction
    from llm_mesh_runtime.resources import Page

_ALL_DOMAINS = "domains/-"
_MOST_USERS = 10
_LONGEST = 1024
_SEQUENCE_DIGITS = 18


class Administration:
    """The rules, for those who make them."""

    def __init__(self, store: Store, changes: Changes, live: Live) -> None:
        self._store = store
        self._changes = changes
        self._live = live

    async def put_role(self, actor: Actor, role: rules_pb2.Role) -> Done[rules_pb2.Role]:
        """Creates or replaces a role of a domain."""
        domain, identity = ROLES.place(role.name, "role.name")

        def work(change: Change) -> rules_pb2.Role:
            checks.new_id(identity, "role.name")
            DOMAINS.get(change.transaction, f"domains/{domain}")
            saved = save_role(change, role)
            change.note("roles.put", saved.name, f"{len(saved.permissions)} permissions")
            return saved

        return await self._changes.make(actor, work)

    async def delete_role(self, actor: Actor, name: str) -> int:
        """Deletes a role that nobody holds; answers with the revision."""
        place = ROLES.place(name)

        def work(change: Change) -> None:
            ROLES.get(change.transaction, name)
            users = change.snapshot.rules.users_of(name)
            if users:
                reason = errors_pb2.ERROR_REASON_IN_USE
                raise PolicyError(reason, f"{name} is held by {len(users)} bindings", users=",".join(users[:_MOST_USERS]))
            change.transaction.remove(ROLES.collection, *place)
            change.note("roles.delete", name)

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
            wanted = rules_pb2.Binding(name=name, principal=binding.principal, role=binding.role, scope=binding.scope)
            saved = save_binding(change, wanted)
            change.note("bindings.create", name, f"{saved.role} for {saved.principal} in {scope_of(saved)}")
            return saved

        return await self._changes.make(actor, work)

    async def delete_binding(self, actor: Actor, name: str) -> int:
        """Takes a role away; answers with the revision."""
        place = BINDINGS.place(name)

        def work(change: Change) -> None:
            gone = BINDINGS.get(change.transaction, name)
            change.transaction.remove(BINDINGS.collection, *place)
            change.note("bindings.delete", name, f"{gone.role} of {gone.principal} in {scope_of(gone)}")

        return (await self._changes.make(actor, work)).revision

    async def bindings(self, parent: str, page: Page) -> tuple[Sequence[rules_pb2.Binding], str]:
        """Who holds which role in a domain, by name."""
        domain, _ = DOMAINS.place(parent, "parent")
        rows = await self._store.read(lambda transaction: transaction.page(BINDINGS.collection, domain, page.after, page.limit))
        shown, token = page.cut(rows, lambda row: row.id)
        return [BINDINGS.unpack(row) for row in shown], token

    async def explain(self, request: rules_pb2.ExplainRequest) -> rules_pb2.ExplainResponse:
        """Whether a principal may, and by which bindings. Of bindings elsewhere than in the domain nothing is told."""
        DOMAINS.place(request.parent, "parent")
        PRINCIPALS.place(request.principal, "principal")
        if not request.action or len(request.action) > _LONGEST:
            raise invalid("action", f"must be 1 to {_LONGEST} characters")
        if not request.resource or len(request.resource) > _LONGEST:
            raise invalid("resource", f"must be 1 to {_LONGEST} characters")
        place = absolute(request.resource, request.parent)
        if request.parent != _ALL_DOMAINS and not is_within(place, request.parent):
            raise invalid("resource", f"must be within {request.parent}")
        snapshot = await self._live.refresh()
        rules, mesh_only = snapshot.rules, request.action in MESH_ACTIONS
        grounds = [] if mesh_only else rules.grounds(request.principal, request.action, place)
        return rules_pb2.ExplainResponse(
            allowed=not mesh_only and rules.allows(request.principal, request.action, place),
            grounds=[rules_pb2.Grounds(binding=rule.binding, permission=rule.permission) for rule in grounds],
            considered=[found for found in rules.bindings_of(request.principal) if _is_told(found, request.parent)],
            revision=snapshot.revision,
        )

    async def audit_records(self, parent: str, request_id: str, page: Page) -> tuple[Sequence[rules_pb2.AuditRecord], str]:
        """What was decided and changed in a domain, or in all, newest first."""
        DOMAINS.place(parent, "parent")
        if page.after and not (page.after.isdecimal() and len(page.after) <= _SEQUENCE_DIGITS):
            raise invalid("page_token", "must be the next_page_token of an answer to the same request")
        domain, before = "" if parent == _ALL_DOMAINS else parent, int(page.after or 0)

        def work(transaction: Transaction) -> list[rules_pb2.AuditRecord]:
            return transaction.page_audit(domain, request_id, before, page.limit)

        return page.cut(await self._store.read(work), lambda record: str(record.sequence))


def _built_in_key(role: rules_pb2.Role) -> str:
    return "0/" + role.name


def _is_told(binding: rules_pb2.Binding, parent: str) -> bool:
    scope = scope_of(binding)
    return parent == _ALL_DOMAINS or scope == EVERYWHERE or domain_of(scope) == parent
