"""Nobody gives what they do not hold, nor takes it away: neither by a role or binding, nor by a key of somebody who may do more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from llm_mesh_policy.domain.errors import escalation_denied
from llm_mesh_policy.rules.domain.rulebook import PLATFORM
from llm_mesh_runtime.resources import domain_of

if TYPE_CHECKING:
    from llm_mesh_policy.rules.domain.changes import Change
    from llm_mesh_policy.rules.domain.rulebook import Rule, Rulebook


def require_covered(change: Change, granted: Iterable[Rule], what: str) -> None:
    """ESCALATION_DENIED unless the actor holds everything that is given or taken."""
    for rule in granted:
        if not change.snapshot.rules.covers(change.actor.principal, rule):
            raise escalation_denied(what)


def require_held(change: Change, principal: str, what: str) -> None:
    """ESCALATION_DENIED unless the actor holds everything that a principal does. One always holds what one holds."""
    if principal != change.actor.principal:
        require_covered(change, held_at_home(change.snapshot.rules, principal), what)


def held_at_home(rules: Rulebook, principal: str) -> list[Rule]:
    """What a principal's own domain and the platform granted to it.

    What other domains granted does not count: it would take the principal out of the hands of its own domain's administrators.
    """
    home = {domain_of(principal), PLATFORM}
    return [rule for binding in rules.bindings_of(principal) if domain_of(binding.name) in home for rule in rules.rules_of(binding)]
