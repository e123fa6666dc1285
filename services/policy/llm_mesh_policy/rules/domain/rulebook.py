"""All rules of a revision: roles and bindings, flattened into what decisions are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple, TypeVar

from llm_mesh.policy.v1 import rules_pb2
from llm_mesh_policy.rules.domain.engine import Engine, HeldRole, Judge
from llm_mesh_policy.rules.domain.matching import ANYTHING, EVERYWHERE, covers, grants, within
from llm_mesh_policy.rules.domain.patterns import RoleRules
from llm_mesh_policy.rules.domain.roles import BUILT_IN, EVERYONE, EVERYONE_ROLE, SHARED_DOMAIN
from llm_mesh_runtime.resources import domain_of

T = TypeVar("T")

ChangedBinding = tuple[rules_pb2.Binding | None, rules_pb2.Binding | None]
"""A binding as it was, and as it is; None where there was or is none."""

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


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a rulebook is made of; none of it ever changes."""

    roles: Mapping[str, rules_pb2.Role]
    rules: Mapping[str, RoleRules]
    by_principal: Mapping[str, Mapping[str, rules_pb2.Binding]]
    engines: Mapping[str, Engine]
    judge: Judge


class Rulebook:
    """Decides. It never changes; `changed` makes the next one, which takes over whatever the change does not touch."""

    def __init__(
        self, roles: Iterable[rules_pb2.Role] = (), bindings: Iterable[rules_pb2.Binding] = (), *, parts: _Parts | None = None
    ) -> None:
        parts = parts or _made(roles, (*bindings, _SHARED))
        self.roles = parts.roles
        self._rules = parts.rules
        self._by_principal = parts.by_principal
        self._engines = parts.engines
        self._judge = parts.judge

    def changed(self, roles: Mapping[str, rules_pb2.Role | None], bindings: Sequence[ChangedBinding]) -> Rulebook:
        """The rules after roles, by name, and bindings were put or, where they are None, deleted."""
        scopes = {scope_of(each) for pair in bindings for each in pair if each is not None}
        touched = {domain_of(scope) for scope in scopes} | {domain_of(name) for name in roles}
        if touched & {EVERYWHERE, PLATFORM}:  # what the platform's roles and bindings grant may hold in any domain
            touched |= self._engines.keys()
        parts = _Parts(
            roles=put(self.roles, roles),
            rules=put(self._rules, {name: RoleRules(role) if role else None for name, role in roles.items()}),
            by_principal=_by_principal(self._by_principal, bindings),
            engines={**self._engines, **{domain: Engine(self._judge) for domain in touched - {EVERYWHERE}}},
            judge=self._judge,
        )
        return Rulebook(parts=parts)

    def allows(self, principal: str, action: str, resource: str) -> bool:
        """Whether a principal may do an action on a resource, by its absolute name. Default: no."""
        domain = domain_of(resource)
        engine = self._engines.get(domain) or self._engines[_ELSEWHERE]
        return engine.allows(principal, action, resource, lambda holder: self._held(holder, domain))

    def covers(self, principal: str, rule: Rule) -> bool:
        """Whether a principal holds everything that a rule allows."""
        held = (each for each in self.bindings_of(principal) if within(scope_of(each), rule.scope) and each.role in self._rules)
        return any(self._rules[each.role].contain(rule.actions, rule.resources) for each in held)

    def bindings_of(self, principal: str) -> list[rules_pb2.Binding]:
        """The bindings by which a principal holds roles."""
        return [*self._by_principal.get(principal, {}).values(), *self._by_principal.get(ANYONE, {}).values()]

    def held_by(self, principal: str) -> list[Rule]:
        """Everything that a principal may do."""
        return [rule for binding in self.bindings_of(principal) for rule in self.rules_of(binding)]

    def rules_of(self, binding: rules_pb2.Binding) -> list[Rule]:
        """What a binding allows; nothing where its role is gone."""
        role = self.roles.get(binding.role)
        return flatten(binding, role) if role else []

    def grounds(self, principal: str, action: str, resource: str) -> list[Rule]:
        """Why a principal may do an action on a resource: one rule per binding and permission that grants it."""
        rules: dict[tuple[str, bytes], Rule] = {}
        for rule in self.held_by(principal):
            if rule.speaks_of(action, resource):
                rules.setdefault((rule.binding.name, rule.permission.SerializeToString(deterministic=True)), rule)
        return list(rules.values())

    def roles_at(self, principal: str, place: str) -> list[str]:
        """The names of the roles that hold in a domain or project."""
        return sorted({binding.role for binding in self.bindings_of(principal) if within(scope_of(binding), place)})

    def _held(self, principal: str, domain: str) -> Sequence[HeldRole]:
        """The roles that a principal holds in a domain, each once per scope."""
        pairs = {(each.role, scope_of(each)) for each in self.bindings_of(principal)}
        return [
            HeldRole(role, scope, self._rules[role])
            for role, scope in sorted(pairs)
            if (scope == EVERYWHERE or domain_of(scope) == domain) and role in self._rules
        ]


def _made(roles: Iterable[rules_pb2.Role], bindings: Iterable[rules_pb2.Binding]) -> _Parts:
    """The parts of all rules there are."""
    known = {role.name: role for role in (*BUILT_IN.values(), EVERYONE_ROLE, *roles)}
    by_principal = _by_principal({}, ((None, each) for each in bindings))
    domains = {domain_of(scope_of(each)) for held in by_principal.values() for each in held.values()} - {EVERYWHERE}
    judge = Judge(Lock())
    engines = {domain: Engine(judge) for domain in (*domains, _ELSEWHERE)}
    return _Parts(known, {name: RoleRules(role) for name, role in known.items()}, by_principal, engines, judge)


def _by_principal(
    before: Mapping[str, Mapping[str, rules_pb2.Binding]], changes: Iterable[ChangedBinding]
) -> Mapping[str, Mapping[str, rules_pb2.Binding]]:
    """The bindings of each principal, by name; those of principals whom no change touches are taken over."""
    after, fresh = dict(before), dict[str, dict[str, rules_pb2.Binding]]()

    def of(principal: str) -> dict[str, rules_pb2.Binding]:
        if principal not in fresh:
            after[principal] = fresh[principal] = dict(before.get(principal, {}))
        return fresh[principal]

    for old, new in changes:
        if old is not None:
            of(old.principal).pop(old.name, None)
        if new is not None:
            of(new.principal)[new.name] = new
    for principal, held in fresh.items():
        if not held:
            del after[principal]
    return after


def put(before: Mapping[str, T], changes: Mapping[str, T | None]) -> Mapping[str, T]:
    """A mapping with some values put and others, where they are None, deleted."""
    if not changes:
        return before
    after = {**before}
    for name, value in changes.items():
        if value is None:
            after.pop(name, None)
        else:
            after[name] = value
    return after


def flatten(binding: rules_pb2.Binding, role: rules_pb2.Role) -> list[Rule]:
    """A rule per permission, pattern of resources and pattern of actions."""
    scope = scope_of(binding)
    return [
        Rule(binding, permission, scope, resources, actions)
        for permission in role.permissions
        for resources in permission.resources or (ANYTHING,)
        for actions in permission.actions
    ]
