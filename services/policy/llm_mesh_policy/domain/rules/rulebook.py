"""All rules of a revision: roles and bindings, flattened into what decisions are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from llm_mesh.policy.v1 import rules_pb2
from llm_mesh_policy.domain.rules.engine import Engine
from llm_mesh_policy.domain.rules.matching import ANYTHING, EVERYWHERE, covers, grants, within
from llm_mesh_policy.domain.rules.roles import BUILT_IN, EVERYONE, EVERYONE_ROLE, SHARED_DOMAIN

PLATFORM = "domains/platform"
ANYONE = "*"
"""The principal of a binding that holds for all."""

_ELSEWHERE = ""
"""Stands for the domains that no binding speaks of."""

_SHARED = rules_pb2.Binding(name=f"{SHARED_DOMAIN}/bindings/everyone", principal=ANYONE, role=EVERYONE, scope=SHARED_DOMAIN)


class Rule(NamedTuple):
    """One way in which a principal may do something: a binding, and one pattern of one permission of its role."""

    binding: rules_pb2.Binding
    permission: rules_pb2.Permission
    scope: str
    resources: str
    actions: str

    def speaks_of(self, action: str, resource: str) -> bool:
        """Whether it grants the action on the resource."""
        return grants(self.actions, action) and covers(self.scope, self.resources, resource)


def scope_of(binding: rules_pb2.Binding) -> str:
    """Where a binding holds: what it says, or the domain that it is in."""
    return binding.scope or domain_of(binding.name)


def domain_of(name: str) -> str:
    """The domain of an absolute name: `domains/claims` of `domains/claims/roles/reader`."""
    return "/".join(name.split("/", 2)[:2])


class Rulebook:
    """Decides. Engines of domains whose rules did not change are taken over from the rulebook before, with what they know."""

    def __init__(self, roles: Iterable[rules_pb2.Role], bindings: Iterable[rules_pb2.Binding], before: Rulebook | None = None) -> None:
        self.roles: Mapping[str, rules_pb2.Role] = {role.name: role for role in (*BUILT_IN.values(), EVERYONE_ROLE, *roles)}
        self._by_principal: dict[str, list[rules_pb2.Binding]] = {}
        by_domain: dict[str, list[rules_pb2.Binding]] = {}
        everywhere: list[rules_pb2.Binding] = []
        for binding in (*bindings, _SHARED):
            self._by_principal.setdefault(binding.principal, []).append(binding)
            scope = scope_of(binding)
            if scope == EVERYWHERE:
                everywhere.append(binding)
            else:
                by_domain.setdefault(domain_of(scope), []).append(binding)
        known = before.engines if before else {}
        by_domain[_ELSEWHERE] = []
        self.engines: Mapping[str, Engine] = {
            domain: self._engine((*everywhere, *local), known.get(domain)) for domain, local in by_domain.items()
        }

    def allows(self, principal: str, action: str, resource: str) -> bool:
        """Whether a principal may do an action on a resource, by its absolute name. Default: no."""
        return (self.engines.get(domain_of(resource)) or self.engines[_ELSEWHERE]).allows(principal, action, resource)

    def bindings_of(self, principal: str) -> list[rules_pb2.Binding]:
        """The bindings by which a principal holds roles."""
        return [*self._by_principal.get(principal, ()), *self._by_principal.get(ANYONE, ())]

    def held_by(self, principal: str) -> list[Rule]:
        """Everything that a principal may do."""
        return [rule for binding in self.bindings_of(principal) for rule in self.rules_of(binding)]

    def rules_of(self, binding: rules_pb2.Binding) -> list[Rule]:
        """What a binding allows; nothing where its role is gone."""
        role = self.roles.get(binding.role)
        return flatten(binding, role) if role else []

    def grounds(self, principal: str, action: str, resource: str) -> list[Rule]:
        """Why a principal may do an action on a resource: one rule per binding and permission that grants it."""
        found: dict[tuple[str, bytes], Rule] = {}
        for rule in self.held_by(principal):
            if rule.speaks_of(action, resource):
                found.setdefault((rule.binding.name, rule.permission.SerializeToString(deterministic=True)), rule)
        return list(found.values())

    def roles_at(self, principal: str, place: str) -> list[str]:
        """The names of the roles that hold in a domain or project."""
        return sorted({binding.role for binding in self.bindings_of(principal) if within(scope_of(binding), place)})

    def users_of(self, role: str) -> list[str]:
        """The names of the bindings that give a role."""
        return sorted(binding.name for bindings in self._by_principal.values() for binding in bindings if binding.role == role)

    def _engine(self, bindings: Iterable[rules_pb2.Binding], before: Engine | None) -> Engine:
        links = frozenset((binding.principal, binding.role, scope_of(binding)) for binding in bindings)
        lines = frozenset(
            (role, scope, rule.resources, rule.actions)
            for role, scope in {(role, scope) for _, role, scope in links}
            if role in self.roles
            for rule in flatten(rules_pb2.Binding(role=role, scope=scope), self.roles[role])
        )
        return before if before is not None and before.same(links, lines) else Engine(links, lines)


def flatten(binding: rules_pb2.Binding, role: rules_pb2.Role) -> list[Rule]:
    """A rule per permission, pattern of resources and pattern of actions."""
    scope = scope_of(binding)
    return [
        Rule(binding, permission, scope, resources, actions)
        for permission in role.permissions
        for resources in permission.resources or (ANYTHING,)
        for actions in permission.actions
    ]
