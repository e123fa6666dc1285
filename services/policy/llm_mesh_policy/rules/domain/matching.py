"""When a rule speaks about a request: pure functions over names, which Casbin calls from its matcher.

A rule has a scope (a domain, a project, or `*`), a pattern of resources and one of actions. The pattern is compared with the
resource's path from the scope on, and from the domain and the project on where these are within the scope: `models/*` in the
scope of a domain means the models of the domain and of each of its projects.
"""

from __future__ import annotations

EVERYWHERE = "*"
ANYTHING = "*"
_PROJECT_PARTS = 4


def covers(scope: str, pattern: str, resource: str) -> bool:
    """Whether the resource is within the scope and like the pattern."""
    if not within(scope, resource):
        return False
    if pattern == ANYTHING:
        return True
    if pattern.endswith("*"):
        return any(view.startswith(pattern[:-1]) for view in views(scope, resource))
    return pattern in views(scope, resource)


def within(scope: str, resource: str) -> bool:
    """Whether the resource is the scope or below it."""
    return scope in {EVERYWHERE, resource} or resource.startswith(scope + "/")


def views(scope: str, resource: str) -> list[str]:
    """The paths by which a pattern may name the resource: from the scope, its domain and its project on."""
    starts = {0 if scope == EVERYWHERE else len(scope) + 1}
    starts.update(start for start in _starts(resource) if start > len(scope))
    return [resource[start:] for start in starts if start < len(resource)]


def _starts(resource: str) -> list[int]:
    """Where the paths below the domain and below the project begin."""
    parts = resource.split("/", _PROJECT_PARTS)
    starts = []
    if len(parts) > 2 and parts[0] == "domains":  # noqa: PLR2004 (collection, id and a rest)
        starts.append(len(parts[0]) + len(parts[1]) + 2)
        if len(parts) > _PROJECT_PARTS and parts[2] == "projects":
            starts.append(len(resource) - len(parts[_PROJECT_PARTS]))
    return starts


def grants(pattern: str, action: str) -> bool:
    """Whether the action is like the pattern: `models.get`, `models.*` or `*`."""
    return pattern in {ANYTHING, action} or (pattern.endswith(".*") and action.startswith(pattern[:-1]))
