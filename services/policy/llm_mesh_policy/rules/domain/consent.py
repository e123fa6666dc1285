"""Who may bind whom: a binding for a principal of another domain grants nothing until that domain has accepted it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import rules_pb2
from llm_mesh_policy.rules.domain.rulebook import PLATFORM
from llm_mesh_runtime.resources import domain_of

if TYPE_CHECKING:
    from llm_mesh_policy.rules.domain.changes import Change

ACTIVE = rules_pb2.BINDING_STATE_ACTIVE
PENDING = rules_pb2.BINDING_STATE_PENDING
ACCEPT = "bindings.accept"


def active(binding: rules_pb2.Binding) -> bool:
    """Whether a stored binding grants its role."""
    return state_of(binding) == ACTIVE


def state_of(binding: rules_pb2.Binding) -> rules_pb2.BindingState:
    """The state of a stored binding. Earlier builds wrote none: their foreign bindings are pending unless the platform made them."""
    if not is_foreign(binding):
        return ACTIVE
    if binding.state == rules_pb2.BINDING_STATE_UNSPECIFIED:
        return ACTIVE if domain_of(binding.name) == PLATFORM else PENDING
    return binding.state


def is_foreign(binding: rules_pb2.Binding) -> bool:
    """Whether its principal is of another domain."""
    return domain_of(binding.principal) != domain_of(binding.name)


def new_state(change: Change, binding: rules_pb2.Binding, before: rules_pb2.Binding | None) -> rules_pb2.BindingState:
    """The state in which a binding is written: consent lasts as long as principal, role and scope are the same."""
    if not is_foreign(binding):
        return ACTIVE
    if before is not None and (before.principal, before.role, before.scope) == (binding.principal, binding.role, binding.scope):
        return state_of(before)
    return ACTIVE if may_accept(change, binding.principal) else PENDING


def may_accept(change: Change, principal: str) -> bool:
    """Whether the actor may accept bindings for a principal, and may therefore know whether it exists."""
    return not change.actor.is_service and change.snapshot.rules.allows(change.actor.principal, ACCEPT, principal)
