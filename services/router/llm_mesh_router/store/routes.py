"""Routes in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy import Connection, delete, func, insert, select, update

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.router.v1 import errors_pb2, router_pb2
from llm_mesh_router.domain.errors import RouterError
from llm_mesh_router.domain.routes import MUTABLE, checked_route
from llm_mesh_router.store.tables import REVISION, ROUTES
from llm_mesh_runtime.database import Database, from_micros
from llm_mesh_runtime.errors import already_exists, etag_mismatch, not_found
from llm_mesh_runtime.outbox import Notes, Outbox
from llm_mesh_runtime.pace import Pace
from llm_mesh_runtime.resources import Page, Quotas, applied, change_of, etag_of

_SHARED = "domains/shared"
_SERVES_ALL = "serves all domains, by the platform's rule"
_STAMPS = ("etag", "create_time", "update_time")


class SqlRoutes:
    """The store of routes."""

    def __init__(self, database: Database, outbox: Outbox, quotas: Quotas) -> None:
        self._database = database
        self._outbox = outbox
        self._quotas = quotas

    async def create(self, route: router_pb2.Route) -> router_pb2.Route:
        """Keeps a new route."""

        def work(connection: Connection, notes: Notes) -> router_pb2.Route:
            self._begin_change(connection)
            if _find(connection, route.name) is not None:
                raise already_exists(route.name)
            return self._put(connection, notes, route, None)

        return await self._outbox.write(work, action="routes.create")

    async def get(self, name: str) -> router_pb2.Route:
        """The route."""
        route = await self._database.read(lambda connection: _find(connection, name))
        if route is None:
            raise not_found(name)
        return route

    async def page(self, domain: str, page: Page) -> Sequence[router_pb2.Route]:
        """Routes of a domain, by name."""
        statement = select(ROUTES.c.body).where(ROUTES.c.domain == domain, ROUTES.c.name > page.after).order_by(ROUTES.c.name)
        return await self._database.read(
            lambda connection: [router_pb2.Route.FromString(body) for body in connection.scalars(statement.limit(page.limit))]
        )

    async def update(self, route: router_pb2.Route) -> router_pb2.Route:
        """Replaces a route."""

        def work(connection: Connection, notes: Notes) -> router_pb2.Route:
            self._begin_change(connection)
            present = _find(connection, route.name)
            if present is None:
                raise not_found(route.name)
            if route.etag != present.etag:
                raise etag_mismatch(route.name)
            return self._put(connection, notes, route, present)

        return await self._outbox.write(work, action="routes.update")

    async def delete(self, name: str, etag: str) -> None:
        """Deletes a route."""

        def work(connection: Connection, notes: Notes) -> None:
            self._begin_change(connection)
            present = _find(connection, name)
            if present is None:
                raise not_found(name)
            if etag and etag != present.etag:
                raise etag_mismatch(name)
            connection.execute(delete(ROUTES).where(ROUTES.c.name == name))
            notes.note(name, present, None)

        await self._outbox.write(work, action="routes.delete")

    async def apply(
        self, routes: Sequence[router_pb2.Route], masks: Mapping[str, FieldMask], *, dry_run: bool
    ) -> Sequence[resources_pb2.Change]:
        """Brings routes to a wanted state in one transaction; a dry run only compares."""

        def compare(connection: Connection) -> Iterator[tuple[router_pb2.Route | None, router_pb2.Route, resources_pb2.Change]]:
            pace = Pace()
            for index, desired in enumerate(routes):
                pace.step()
                present = _find(connection, desired.name)
                route = checked_route(applied(present, desired, masks, mutable=MUTABLE), f"routes[{index}]")
                yield present, route, change_of(route.name, present, route, ignore=("name", *_STAMPS))

        def work(connection: Connection, notes: Notes) -> list[resources_pb2.Change]:
            self._begin_change(connection)
            changes = []
            for present, route, change in list(compare(connection)):
                if change.action != resources_pb2.CHANGE_ACTION_NONE:
                    self._put(connection, notes, route, present)
                changes.append(change)
            return changes

        if dry_run:
            return await self._database.read(lambda connection: [change for _, _, change in compare(connection)])
        return await self._outbox.write(work, action="routes.apply")

    async def revision(self) -> int:
        """Which change was the last."""
        return await self._database.read(lambda connection: connection.execute(select(REVISION.c.revision)).scalar_one())

    async def everything(self) -> tuple[int, Sequence[router_pb2.Route]]:
        """The revision and all routes at it."""

        def work(connection: Connection) -> tuple[int, Sequence[router_pb2.Route]]:
            revision = connection.execute(select(REVISION.c.revision)).scalar_one()
            return revision, [router_pb2.Route.FromString(body) for body in connection.scalars(select(ROUTES.c.body))]

        return await self._database.read(work)

    def _begin_change(self, connection: Connection) -> None:
        connection.execute(update(REVISION).values(revision=REVISION.c.revision + 1))

    def _put(self, connection: Connection, notes: Notes, route: router_pb2.Route, present: router_pb2.Route | None) -> router_pb2.Route:
        domain = route.name.split("/routes/", 1)[0]
        taken = select(ROUTES.c.name).where(ROUTES.c.domain == domain, ROUTES.c.alias == route.alias, ROUTES.c.name != route.name)
        if (other := connection.scalar(taken)) is not None:
            message = f"{other} has the alias {route.alias}"
            raise RouterError(errors_pb2.ERROR_REASON_ALIAS_TAKEN, message, field="route.alias", alias=route.alias, route=other)
        now = self._database.now(connection)
        stored = router_pb2.Route()
        stored.CopyFrom(route)
        stored.update_time.FromDatetime(from_micros(now))
        stored.create_time.CopyFrom(stored.update_time if present is None else present.create_time)
        stored.etag = etag_of(stored, ignore=("etag",))
        row = {"domain": domain, "alias": stored.alias, "etag": stored.etag, "body": stored.SerializeToString(), "updated": now}
        if present is None:
            connection.execute(insert(ROUTES).values(name=stored.name, created=now, **row))
            count = connection.scalar(select(func.count()).where(ROUTES.c.domain == domain))
            self._quotas.check(domain, "routes", count or 0)
        else:
            connection.execute(update(ROUTES).where(ROUTES.c.name == stored.name).values(**row))
        notes.note(stored.name, present, stored, _SERVES_ALL if domain == _SHARED else "")
        return stored


def _find(connection: Connection, name: str) -> router_pb2.Route | None:
    body = connection.scalar(select(ROUTES.c.body).where(ROUTES.c.name == name))
    return None if body is None else router_pb2.Route.FromString(body)
