"""Nobody gives what they do not hold: neither by a role or binding, nor by a key of somebody who may do more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from llm_mesh_policy.domain.errors import escalation_denied
from llm_mesh_policy.domain.rules.matching import contains, contains_action, within

if TYPE_CHECKING:
    from llm_mesh_policy.domain.changes import Change
    from llm_mesh_policy.domain.rules.rulebook import Rule


def require_covered(change: Change, given: Iterable[Rule], what: str) -> None:
    """ESCALATION_DENIED unless the actor holds everything that is given."""
    held = change.snapshot.rules.held_by(change.actor.principal)
    for rule in given:
        if not any(covers_rule(own, rule) for own in held):
            raise escalation_denied(what)


def require_held(change: Change, principal: str, what: str) -> None:
    """ESCALATION_DENIED unless the actor holds everything that a principal does. One always holds what one holds."""
    if principal != change.actor.principal:
        require_covered(change, change.snapshot.rules.held_by(principal), what)


def covers_rule(own: Rule, given: Rule) -> bool:
    """Whether everything that the given rule allows is allowed by one's own."""
    return within(own.scope, given.scope) and contains(own.resources, given.resources) and contains_action(own.actions, given.actions)
