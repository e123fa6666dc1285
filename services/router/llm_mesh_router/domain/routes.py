"""Routes: from an alias to the targets that it may go to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain.models import SHARED, may_see, owner_of
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import NamePattern, checked_alias

ROUTE = NamePattern("domains/{domain}/routes/{route}")
MODEL = NamePattern("domains/{domain}/models/{model}")
DOMAIN = NamePattern("domains/{domain}")

_MOST_TARGETS = 64
_MOST_ATTEMPTS = 8
_HIGHEST_PRIORITY = 1_000
_LARGEST_WEIGHT = 10_000


def checked_route(route: router_pb2.Route, field: str = "route") -> router_pb2.Route:
    """The route, where all of it is of its documented form."""
    checked_alias(route.alias, f"{field}.alias")
    if not 1 <= len(route.targets) <= _MOST_TARGETS:
        raise invalid(f"{field}.targets", f"must be 1 to {_MOST_TARGETS} targets")
    if not 0 <= route.max_attempts <= _MOST_ATTEMPTS:
        raise invalid(f"{field}.max_attempts", f"must be 0 to {_MOST_ATTEMPTS}")
    for index, target in enumerate(route.targets):
        _check_target(target, f"{field}.targets[{index}]")
    if len({target.model for target in route.targets}) != len(route.targets):
        raise invalid(f"{field}.targets", "must name each model once")
    for index, domain in enumerate(route.shared_with):
        if domain != "*":
            DOMAIN.parse(domain, f"{field}.shared_with[{index}]")
    for phase in ("connect", "first_token", "idle", "total"):
        if route.limits.HasField(phase) and getattr(route.limits, phase).ToNanoseconds() <= 0:
            raise invalid(f"{field}.limits.{phase}", "must be over zero")
    return route


def _check_target(target: router_pb2.RouteTarget, field: str) -> None:
    MODEL.parse(target.model, f"{field}.model")
    if not 0 <= target.priority <= _HIGHEST_PRIORITY:
        raise invalid(f"{field}.priority", f"must be 0 to {_HIGHEST_PRIORITY}")
    if not 0 <= target.weight <= _LARGEST_WEIGHT:
        raise invalid(f"{field}.weight", f"must be 0 to {_LARGEST_WEIGHT}")


class RouteBook:
    """All routes in memory, so that planning reads no database."""

    def __init__(self) -> None:
        self._by_alias: dict[str, list[router_pb2.Route]] = {}
        self.revision = 0
        """Grows with every change."""

    def replace(self, routes: Iterable[router_pb2.Route]) -> None:
        """These are all routes."""
        self.revision += 1
        by_alias: dict[str, list[router_pb2.Route]] = defaultdict(list)
        for route in sorted(routes, key=lambda route: (owner_of(route.name) != SHARED, route.name)):
            by_alias[route.alias].append(route)
        self._by_alias = dict(by_alias)

    def of_alias(self, alias: str, domain: str) -> tuple[router_pb2.Route | None, router_pb2.Route | None]:
        """The domain's own route of an alias, and the first one that is shared with it."""
        own = shared = None
        for route in self._by_alias.get(alias, ()):
            if owner_of(route.name) == domain:
                own = route
            elif shared is None and may_see(domain, route.name, route.shared_with):
                shared = route
        return own, shared

    def visible(self, domain: str) -> Iterator[router_pb2.Route]:
        """Every route that a domain may use."""
        return (route for routes in self._by_alias.values() for route in routes if may_see(domain, route.name, route.shared_with))
