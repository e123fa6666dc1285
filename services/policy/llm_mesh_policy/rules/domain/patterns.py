"""The rules of one role, looked up instead of walked through: by action, then by resource.

Patterns of resources that begin alike are kept as the shortest of them, in order: the one that a path begins with, if any, stands
right before it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping

from llm_mesh.policy.v1 import rules_pb2
from llm_mesh_policy.rules.domain.matching import ANYTHING, views, within

_FAMILY = ".*"


class Resources:
    """Patterns of resources: everything, whole paths, and what paths begin with."""

    def __init__(self, patterns: Iterable[str]) -> None:
        distinct = set(patterns)
        self._everything = ANYTHING in distinct
        self._whole = frozenset(pattern for pattern in distinct if not pattern.endswith("*"))
        self._beginnings = _shortest(pattern[:-1] for pattern in distinct if pattern.endswith("*") and pattern != ANYTHING)

    def covering(self, scope: str, resource: str) -> str | None:
        """A pattern that speaks of a resource within the scope."""
        if self._everything:
            return ANYTHING
        return next(filter(None, map(self._matching, views(scope, resource))), None)

    def contain(self, pattern: str) -> bool:
        """Whether one of them speaks of everything that the pattern speaks of."""
        if self._everything or pattern in self._whole:
            return True
        return self._beginning(pattern.removesuffix("*")) is not None

    def _matching(self, path: str) -> str | None:
        if path in self._whole:
            return path
        beginning = self._beginning(path)
        return None if beginning is None else beginning + "*"

    def _beginning(self, path: str) -> str | None:
        place = bisect_right(self._beginnings, path) - 1
        return self._beginnings[place] if place >= 0 and path.startswith(self._beginnings[place]) else None


class RoleRules:
    """What one role grants."""

    def __init__(self, role: rules_pb2.Role) -> None:
        by_action: dict[str, list[str]] = {}
        for permission in role.permissions:
            for action in permission.actions:
                by_action.setdefault(action, []).extend(permission.resources or (ANYTHING,))
        self._by_action: Mapping[str, Resources] = {action: Resources(patterns) for action, patterns in by_action.items()}

    def granting(self, scope: str, action: str, resource: str) -> tuple[str, str] | None:
        """The patterns of a resource and of an action by which it grants the action in the scope."""
        if not within(scope, resource):
            return None
        for pattern in (ANYTHING, _family(action), action):
            resources = self._by_action.get(pattern)
            covering = resources.covering(scope, resource) if resources is not None else None
            if covering is not None:
                return covering, pattern
        return None

    def contain(self, actions: str, resources: str) -> bool:
        """Whether it grants all that a pattern of actions on a pattern of resources means."""
        patterns = (ANYTHING, _family(actions), actions)
        return any(self._by_action[pattern].contain(resources) for pattern in patterns if pattern in self._by_action)


def _family(action: str) -> str:
    """`models.*` of `models.get`, and of itself."""
    return action.partition(".")[0] + _FAMILY


def _shortest(beginnings: Iterable[str]) -> list[str]:
    """Sorted, without those that begin with another one."""
    shortest: list[str] = []
    for each in sorted(beginnings):
        if not shortest or not each.startswith(shortest[-1]):
            shortest.append(each)
    return shortest
