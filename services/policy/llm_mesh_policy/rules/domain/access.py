"""Domains, projects, principals, roles and bindings as they are written: what is valid, and what nobody may give or take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from llm_mesh_policy.domain.errors import beyond_floor
from llm_mesh_policy.domain.kinds import BINDINGS, DOMAINS, FLOORS, PRINCIPALS, PROJECTS, ROLES
from llm_mesh_policy.rules.domain import consent
from llm_mesh_policy.rules.domain.escalation import require_covered, require_held
from llm_mesh_policy.rules.domain.matching import EVERYWHERE
from llm_mesh_policy.rules.domain.roles import BUILT_IN
from llm_mesh_policy.rules.domain.room import require_room
from llm_mesh_policy.rules.domain.rulebook import PLATFORM, flatten
from llm_mesh_policy.rules.domain.stricter import EVERY_DOMAIN, Settings, changed_fields, combined, field_beyond, floor_name, holding
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import domain_of, is_within

if TYPE_CHECKING:
    from llm_mesh.policy.v1 import floors_pb2
    from llm_mesh_policy.domain.resources import Transaction
    from llm_mesh_policy.rules.domain.changes import Change


def save_domain(change: Change, domain: identity_pb2.Domain, field: str = "domain") -> identity_pb2.Domain:
    """Creates or changes a domain, within its floor."""
    saved = DOMAINS.save(change.transaction, domain, field)
    before = change.snapshot.domains.get(saved.name, identity_pb2.Domain())
    _require_within_floor(change, before, saved, field)
    return saved


def save_project(change: Change, project: identity_pb2.Project, field: str = "project") -> identity_pb2.Project:
    """Creates or changes a project, within its domain's floor."""
    saved = PROJECTS.save(change.transaction, project, field)
    before = change.snapshot.projects.get(saved.name, identity_pb2.Project())
    _require_within_floor(change, before, saved, field)
    return saved


def save_principal(change: Change, principal: identity_pb2.Principal, field: str = "principal") -> identity_pb2.Principal:
    """Creates or changes a principal. Who may do more than the actor is not theirs to disable or to let in again."""
    require_held(change, principal.name, principal.name)
    return PRINCIPALS.save(change.transaction, principal, field)


def save_role(change: Change, role: rules_pb2.Role, field: str = "role") -> rules_pb2.Role:
    """Creates or replaces a role. Neither before nor after it may grant what the actor does not hold wherever it can be given."""
    before = ROLES.find(change.transaction, role.name, f"{field}.name")
    saved = ROLES.save(change.transaction, role, field)
    for each in (before, saved):
        if each is not None:
            require_role_covered(change, each)
    return saved


def require_role_covered(change: Change, role: rules_pb2.Role) -> None:
    """ESCALATION_DENIED unless the actor holds what a role grants, wherever it can be given."""
    domain = domain_of(role.name)
    widest = rules_pb2.Binding(name=f"{domain}/bindings/any", role=role.name, scope=EVERYWHERE if domain == PLATFORM else domain)
    require_covered(change, flatten(widest, role), role.name)


def save_binding(change: Change, binding: rules_pb2.Binding, field: str = "binding") -> rules_pb2.Binding:
    """Creates or replaces a binding. Neither before nor after it may give what the actor does not hold."""
    transaction = change.transaction
    before = BINDINGS.find(transaction, binding.name, f"{field}.name")
    if binding.principal:
        PRINCIPALS.place(binding.principal, f"{field}.principal")
    written = rules_pb2.Binding(name=binding.name, principal=binding.principal, role=binding.role, scope=binding.scope)
    written.state = consent.new_state(change, written, before)
    saved = BINDINGS.save(transaction, written, field)
    require_room(change, saved, before)
    domain = domain_of(saved.name)
    # Whether a principal of another domain exists is only told to those who may accept there.
    confirmed = not consent.is_foreign(saved) or consent.may_accept(change, saved.principal)
    if confirmed and PRINCIPALS.find(transaction, saved.principal) is None:
        raise invalid(f"{field}.principal", "must be a principal that exists")
    role = _role(transaction, saved.role, domain, f"{field}.role")
    _check_scope(transaction, saved.scope, domain, f"{field}.scope")
    require_covered(change, flatten(saved, role), saved.name)
    if before is not None:
        require_covered(change, change.snapshot.rules.rules_of(before), saved.name)
    return saved


def floor_in(transaction: Transaction, domain: str) -> floors_pb2.Floor | None:
    """What the platform sets about a domain, as it is in a transaction."""
    stored = [FLOORS.find(transaction, name) for name in (floor_name(domain), EVERY_DOMAIN)]
    binding = [floor for floor in stored if floor is not None]
    return combined(domain, binding) if binding else None


def with_floor(domain: identity_pb2.Domain, floor: floors_pb2.Floor | None) -> identity_pb2.Domain:
    """The domain with what its floor makes of it."""
    held = holding(domain, floor)
    shown = identity_pb2.Domain(floor=floor, effective=held.constraints, conflicts=held.conflicts)
    shown.MergeFrom(domain)
    return shown


def _require_within_floor(change: Change, before: Settings, after: Settings, field: str) -> None:
    if not changed_fields(before, after):
        return
    floor = floor_in(change.transaction, domain_of(after.name))
    setting = field_beyond(before, after, floor) if floor is not None else ""
    if setting:
        raise beyond_floor(after.name, f"{field}.{setting}")


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
