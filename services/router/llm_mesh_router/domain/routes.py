"""Routes: from an alias to the targets that it may go to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain.models import SHARED, is_offered
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.pace import Pace
from llm_mesh_runtime.resources import NamePattern, domain_of
from llm_mesh_runtime.validation import check_message

ROUTE = NamePattern("domains/{domain}/routes/{route}")
MODEL = NamePattern("domains/{domain}/models/{model}")
DOMAIN = NamePattern("domains/{domain}")
MUTABLE = frozenset(field.name for field in router_pb2.Route.DESCRIPTOR.fields) - {"name", "etag", "create_time", "update_time"}
"""What an apply may change."""


def checked_route(route: router_pb2.Route, field: str = "route") -> router_pb2.Route:
    """The route, where all of it is of its documented form."""
    check_message(route, field)
    if len({target.model for target in route.targets}) != len(route.targets):
        raise invalid(f"{field}.targets", "must name each model once")
    return route


class Shelf:
    """All routes at one revision, by name and by owner and alias."""

    def __init__(self, routes: Iterable[router_pb2.Route] = ()) -> None:
        pace = Pace()
        self.by_name: dict[str, router_pb2.Route] = {}
        by_owner: dict[str, dict[str, router_pb2.Route]] = defaultdict(dict)
        for route in routes:
            pace.step()
            self.by_name[route.name] = route
            by_owner[domain_of(route.name)][route.alias] = route
        self.by_owner: Mapping[str, Mapping[str, router_pb2.Route]] = dict(by_owner)


class RouteBook:
    """All routes in memory, so that planning reads no database."""

    def __init__(self) -> None:
        self._shelf = Shelf()
        self.revision = 0
        """Grows with every change."""

    def show(self, shelf: Shelf) -> None:
        """These are all routes."""
        self.revision += 1
        self._shelf = shelf

    def replace(self, routes: Iterable[router_pb2.Route]) -> None:
        """These are all routes: for a few of them."""
        self.show(Shelf(routes))

    def of_alias(self, alias: str, domain: str) -> router_pb2.Route | None:
        """The route to which a domain itself gave the alias."""
        return self._shelf.by_owner.get(domain, {}).get(alias)

    def aliases(self, domain: str) -> Collection[str]:
        """The aliases that a domain gave to routes of its own."""
        return self._shelf.by_owner.get(domain, {}).keys()

    def is_offered(self, name: str, domain: str) -> bool:
        """Whether a route exists and is offered to a domain."""
        route = self._shelf.by_name.get(name)
        return route is not None and is_offered(domain, route.shared_with)

    def offered(self) -> Sequence[router_pb2.Route]:
        """Routes that are offered to other domains, by name. What `domains/shared` has serves all, and is no offer."""
        offers = [route for route in self._shelf.by_name.values() if route.shared_with and domain_of(route.name) != SHARED]
        return sorted(offers, key=lambda route: route.name)
