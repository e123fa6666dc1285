"""Principals, roles and bindings as they are written: what is valid, and what nobody may give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from llm_mesh_policy.domain.kinds import BINDINGS, DOMAINS, PRINCIPALS, PROJECTS, ROLES
from llm_mesh_policy.domain.rules.escalation import require_covered, require_held
from llm_mesh_policy.domain.rules.matching import EVERYWHERE
from llm_mesh_policy.domain.rules.roles import BUILT_IN
from llm_mesh_policy.domain.rules.rulebook import PLATFORM, domain_of, flatten
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import is_within

if TYPE_CHECKING:
    from llm_mesh_policy.domain.changes import Change
    from llm_mesh_policy.domain.identity.ports import Transaction


def save_principal(change: Change, principal: identity_pb2.Principal, field: str = "principal") -> identity_pb2.Principal:
    """Creates or changes a principal. Who may do more than the actor is not theirs to disable or to let in again."""
    require_held(change, principal.name, principal.name)
    return PRINCIPALS.save(change.transaction, principal, field)


def save_role(change: Change, role: rules_pb2.Role, field: str = "role") -> rules_pb2.Role:
    """Creates or replaces a role. It may not grant what the actor does not hold wherever it can be given."""
    saved = ROLES.save(change.transaction, role, field)
    domain = domain_of(saved.name)
    widest = rules_pb2.Binding(name=f"{domain}/bindings/any", role=saved.name, scope=EVERYWHERE if domain == PLATFORM else domain)
    require_covered(change, flatten(widest, saved), saved.name)
    return saved


def save_binding(change: Change, binding: rules_pb2.Binding, field: str = "binding") -> rules_pb2.Binding:
    """Creates or replaces a binding. It may not give what the actor does not hold."""
    saved = BINDINGS.save(change.transaction, binding, field)
    domain = domain_of(saved.name)
    if PRINCIPALS.find(change.transaction, saved.principal, f"{field}.principal") is None:
        raise invalid(f"{field}.principal", "must be a principal that exists")
    role = _role(change.transaction, saved.role, domain, f"{field}.role")
    _check_scope(change.transaction, saved.scope, domain, f"{field}.scope")
    require_covered(change, flatten(saved, role), saved.name)
    return saved


def _role(transaction: Transaction, name: str, domain: str, field: str) -> rules_pb2.Role:
    built_in = BUILT_IN.get(name)
    if built_in is not None:
        return built_in
    if not is_within(name, domain):
        raise invalid(field, f"must be a built-in role or one of {domain}")
    role = ROLES.find(transaction, name, field)
    if role is None:
        raise invalid(field, "must be a role that exists")
    return role


def _check_scope(transaction: Transaction, scope: str, domain: str, field: str) -> None:
    if not scope or scope == domain:
        return
    if scope == EVERYWHERE:
        if domain != PLATFORM:
            raise invalid(field, f"may be `*` in {PLATFORM} only")
        return
    if domain != PLATFORM and not is_within(scope, domain):
        raise invalid(field, f"must be {domain} or a project of it")
    kind = DOMAINS if DOMAINS.pattern.matches(scope) else PROJECTS
    if kind.find(transaction, scope, field) is None:
        raise invalid(field, "must be a domain or project that exists")
