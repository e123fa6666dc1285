"""Routes as their owners keep them, and the book that planning reads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain.offering import Offering
from llm_mesh_router.domain.ports import RouteStore
from llm_mesh_router.domain.routes import DOMAIN, ROUTE, RouteBook, Shelf, checked_route
from llm_mesh_router.domain.targets import Targets
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.pace import Pace
from llm_mesh_runtime.resources import Page, check_masks, checked_id, is_within

MOST_ENTRIES = 500
"""Routes in one `ApplyRoutes`."""
_PLATFORM = "domains/platform"


class RouteTable:
    """Checks and keeps routes. After each change the book is read anew, so that the next plan knows it, and offers are told."""

    def __init__(self, store: RouteStore, book: RouteBook, offering: Offering, targets: Targets) -> None:
        self._targets = targets
        self._store = store
        self._book = book
        self._offering = offering
        self._revision = -1
        self._refreshing = asyncio.Lock()

    async def refresh(self) -> None:
        """Reads the book anew where the store has changed, by this instance or another."""
        async with self._refreshing:
            if await self._store.revision() != self._revision:
                revision, routes = await self._store.everything()
                self._book.show(await asyncio.to_thread(Shelf, routes))  # thousands of routes take longer than a request should wait
                self._revision = revision

    async def create(self, parent: str, route_id: str, route: router_pb2.Route, *, allow_missing: bool = False) -> router_pb2.Route:
        """A new route of a domain. `allow_missing`: its targets need not exist."""
        DOMAIN.parse(parent, "parent")
        route.name = f"{parent}/routes/{checked_id(route_id, 'route_id')}"
        checked_route(route)
        if not allow_missing:
            await self._targets.check(route)
        created = await self._store.create(route)
        await self._changed()
        return created

    async def get(self, name: str) -> router_pb2.Route:
        """A route by its name."""
        ROUTE.parse(name)
        return await self._store.get(name)

    async def page(self, parent: str, page: Page) -> tuple[Sequence[router_pb2.Route], str]:
        """Routes of a domain, and the token of the next page."""
        DOMAIN.parse(parent, "parent")
        return page.cut(await self._store.page(parent, page), key=lambda route: route.name)

    async def update(self, route: router_pb2.Route, *, allow_missing: bool = False) -> router_pb2.Route:
        """Replaces a route. `allow_missing`: its targets need not exist."""
        ROUTE.parse(route.name, "route.name")
        if not route.etag:
            raise invalid("route.etag", "must be the etag of the route as it was read")
        checked_route(route)
        if not allow_missing:
            await self._targets.check(route)
        updated = await self._store.update(route)
        await self._changed()
        return updated

    async def delete(self, name: str, etag: str) -> None:
        """Deletes a route."""
        ROUTE.parse(name)
        await self._store.delete(name, etag)
        await self._changed()

    async def apply(self, request: router_pb2.ApplyRoutesRequest) -> Sequence[resources_pb2.Change]:
        """Brings routes to a wanted state. Only the platform names routes of several domains."""
        parent, routes = request.parent, request.routes
        DOMAIN.parse(parent, "parent")
        if len(routes) > MOST_ENTRIES:
            raise invalid("routes", f"at most {MOST_ENTRIES} in one call, not {len(routes)}: split them among several calls")
        await asyncio.to_thread(_check_all, parent, routes)
        check_masks(request.update_masks, {route.name for route in routes})
        if not request.allow_missing_targets:
            for index, route in enumerate(routes):
                await self._targets.check(route, f"routes[{index}]")
        changes = await self._store.apply(routes, request.update_masks, dry_run=request.dry_run)
        await self._changed()
        return changes

    async def _changed(self) -> None:
        await self.refresh()
        await self._offering.tell()


def _check_all(parent: str, routes: Sequence[router_pb2.Route]) -> None:
    """In a thread: hundreds of routes take longer than others should wait."""
    pace = Pace()
    for index, route in enumerate(routes):
        pace.step()
        ROUTE.parse(route.name, f"routes[{index}].name")
        if parent != _PLATFORM and not is_within(route.name, parent):
            raise invalid(f"routes[{index}].name", f"must be within {parent}")
    if len({route.name for route in routes}) != len(routes):
        raise invalid("routes", "must name each route once")
