"""Routes are kept alike in memory, in SQLite and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain.models import Models
from llm_mesh_router.domain.offering import Offering
from llm_mesh_router.domain.routes import RouteBook
from llm_mesh_router.domain.table import RouteTable
from llm_mesh_router.domain.targets import Targets
from llm_mesh_router.settings import Settings
from llm_mesh_router.store.routes import SqlRoutes
from llm_mesh_router.store.tables import METADATA
from llm_mesh_runtime.database import Database, drift
from llm_mesh_runtime.errors import MeshError, store_unavailable
from llm_mesh_runtime.resources import page_of
from tests.databases import migrated
from tests.recorded import outbox_of

MODEL = "domains/shared/models/a"


async def table(database: Database) -> tuple[RouteTable, RouteBook]:
    await migrated(database, "llm_mesh_router.store.migrations")
    book = RouteBook()
    return over(database, book), book


def over(database: Database, book: RouteBook, registry: Registry | None = None) -> RouteTable:
    offering = Offering(book, registry or Registry())
    return RouteTable(SqlRoutes(database, outbox_of(database), Settings().quotas), book, offering, ANY_TARGET)


async def table_with(database: Database, targets: Targets) -> RouteTable:
    """A table that looks targets up."""
    await migrated(database, "llm_mesh_router.store.migrations")
    book = RouteBook()
    return RouteTable(SqlRoutes(database, outbox_of(database), Settings().quotas), book, Offering(book, Registry()), targets)


class Everything:
    """A registry that has every model."""

    async def model(self, name: str) -> registry_pb2.Model:
        return registry_pb2.Model(name=name, shared_with=["*"])


ANY_TARGET = Targets(Models(), Everything())


class Registry:
    """Keeps offers as the registry does: each call replaces a range of names."""

    def __init__(self) -> None:
        self.offers: dict[str, router_pb2.Route] = {}
        self.away = False
        self.calls = 0

    async def put(self, routes: Sequence[router_pb2.Route], after: str, through: str) -> None:
        self.calls += 1
        if self.away:
            raise store_unavailable()
        for name in [name for name in self.offers if after < name and (not through or name <= through)]:
            del self.offers[name]
        self.offers.update((route.name, route) for route in routes)


def route(alias: str = "main", name: str = "") -> router_pb2.Route:
    return router_pb2.Route(name=name, alias=alias, targets=[router_pb2.RouteTarget(model=MODEL)])


async def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    await table(database)
    assert await drift(database, METADATA) == []


async def test_a_created_route_is_planned_by_at_once_and_read_back(database: Database) -> None:
    routes, book = await table(database)
    created = await routes.create("domains/claims", "r", route())
    assert await routes.get("domains/claims/routes/r") == created
    assert book.of_alias("main", "domains/claims") == created


async def test_another_instance_sees_the_route_after_its_refresh(database: Database) -> None:
    routes, _ = await table(database)
    other_book = RouteBook()
    other = over(database, other_book)
    await other.refresh()
    await routes.create("domains/claims", "r", route())
    await other.refresh()
    assert other_book.of_alias("main", "domains/claims") is not None


async def test_a_name_and_an_alias_are_taken_once_per_domain(database: Database) -> None:
    routes, _ = await table(database)
    await routes.create("domains/claims", "r", route())
    with pytest.raises(MeshError, match="ALREADY_EXISTS"):
        await routes.create("domains/claims", "r", route("other"))
    with pytest.raises(MeshError, match="ALIAS_TAKEN"):
        await routes.create("domains/claims", "s", route())
    await routes.create("domains/other", "r", route())


async def test_an_update_needs_the_present_etag(database: Database) -> None:
    routes, _ = await table(database)
    created = await routes.create("domains/claims", "r", route())
    wanted = router_pb2.Route()
    wanted.CopyFrom(created)
    wanted.max_attempts = 2
    updated = await routes.update(wanted)
    assert (updated.max_attempts, updated.create_time) == (2, created.create_time)
    with pytest.raises(MeshError, match="ETAG_MISMATCH"):
        await routes.update(wanted)
    with pytest.raises(MeshError, match="ETAG_MISMATCH"):
        await routes.delete(created.name, created.etag)
    await routes.delete(updated.name, updated.etag)
    with pytest.raises(MeshError, match="NOT_FOUND"):
        await routes.get(created.name)


async def test_pages_have_every_route_of_the_domain_once(database: Database) -> None:
    routes, _ = await table(database)
    for number in range(5):
        await routes.create("domains/claims", f"r{number}", route(f"alias{number}"))
    await routes.create("domains/other", "r", route())
    request, seen = router_pb2.ListRoutesRequest(parent="domains/claims", page_size=2), list[str]()
    while True:
        shown, request.page_token = await routes.page(request.parent, page_of(request, request.parent))
        seen += [found.name for found in shown]
        if not request.page_token:
            break
    assert seen == [f"domains/claims/routes/r{number}" for number in range(5)]


async def test_an_apply_is_idempotent_and_a_dry_run_changes_nothing(database: Database) -> None:
    routes, book = await table(database)
    wanted = [route("a", "domains/claims/routes/a"), route("b", "domains/claims/routes/b")]
    kinds = []
    for dry_run in (True, False, False):
        changes = await routes.apply(router_pb2.ApplyRoutesRequest(parent="domains/claims", routes=wanted, dry_run=dry_run))
        kinds.append({change.action for change in changes})
    create, none = resources_pb2.CHANGE_ACTION_CREATE, resources_pb2.CHANGE_ACTION_NONE
    assert kinds == [{create}, {create}, {none}]
    assert book.of_alias("b", "domains/claims") is not None


async def test_an_apply_is_all_or_nothing(database: Database) -> None:
    routes, _ = await table(database)
    await routes.create("domains/claims", "taken", route("a"))
    wanted = [route("fresh", "domains/claims/routes/fresh"), route("a", "domains/claims/routes/clash")]
    with pytest.raises(MeshError, match="ALIAS_TAKEN"):
        await routes.apply(router_pb2.ApplyRoutesRequest(parent="domains/claims", routes=wanted, dry_run=False))
    with pytest.raises(MeshError, match="NOT_FOUND"):
        await routes.get("domains/claims/routes/fresh")


async def test_an_apply_stays_within_its_domain_unless_it_is_the_platforms(database: Database) -> None:
    routes, _ = await table(database)
    wanted = [route("a", "domains/claims/routes/a")]
    with pytest.raises(MeshError, match=r"routes\[0\].name"):
        await routes.apply(router_pb2.ApplyRoutesRequest(parent="domains/other", routes=wanted, dry_run=False))
    await routes.apply(router_pb2.ApplyRoutesRequest(parent="domains/platform", routes=wanted, dry_run=False))


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (router_pb2.Route(alias="no spaces", targets=[router_pb2.RouteTarget(model=MODEL)]), "route.alias"),
        (router_pb2.Route(alias="a"), "route.targets"),
        (router_pb2.Route(alias="a", targets=[router_pb2.RouteTarget(model="x")]), "route.targets[0].model"),
        (router_pb2.Route(alias="a", targets=[router_pb2.RouteTarget(model=MODEL, priority=-1)]), "route.targets[0].priority"),
        (router_pb2.Route(alias="a", targets=[router_pb2.RouteTarget(model=MODEL, weight=10_001)]), "route.targets[0].weight"),
        (router_pb2.Route(alias="a", targets=[router_pb2.RouteTarget(model=MODEL)] * 2), "route.targets"),
        (router_pb2.Route(alias="a", targets=[router_pb2.RouteTarget(model=MODEL)], max_attempts=9), "route.max_attempts"),
        (router_pb2.Route(alias="a", targets=[router_pb2.RouteTarget(model=MODEL)], shared_with=["x"]), "route.shared_with[0]"),
    ],
)
async def test_a_route_of_wrong_form_is_refused_with_its_field(database: Database, broken: router_pb2.Route, field: str) -> None:
    routes, _ = await table(database)
    with pytest.raises(MeshError) as failure:
        await routes.create("domains/claims", "r", broken)
    assert (failure.value.reason_name, failure.value.field) == ("INVALID_FIELD", field)


def offered(name: str, *receivers: str) -> router_pb2.Route:
    made = route(name.rsplit("/", 1)[-1], name)
    made.shared_with.extend(receivers or ("*",))
    return made


async def test_offers_are_told_with_each_change_and_taken_back(database: Database) -> None:
    await migrated(database, "llm_mesh_router.store.migrations")
    registry, book = Registry(), RouteBook()
    routes = over(database, book, registry)
    created = await routes.create("domains/claims", "r", offered("domains/claims/routes/r"))
    await routes.create("domains/claims", "private", route("private"))
    await routes.create("domains/shared", "all", offered("domains/shared/routes/all"))
    assert registry.offers == {created.name: created}
    assert (book.is_offered(created.name, "domains/other"), book.is_offered("domains/claims/routes/private", "domains/other")) == (
        True,
        False,
    )
    calls = registry.calls
    await routes.apply(router_pb2.ApplyRoutesRequest(parent="domains/claims", routes=[offered(created.name)], dry_run=False))
    changed = offered(created.name, "domains/other")
    changed.etag = created.etag
    updated = await routes.update(changed)
    assert list(registry.offers.values()) == [updated]
    assert registry.calls > calls
    await routes.delete(created.name, "")
    assert registry.offers == {}


async def test_offers_reach_a_registry_that_was_away(database: Database) -> None:
    await migrated(database, "llm_mesh_router.store.migrations")
    registry, book = Registry(), RouteBook()
    offering = Offering(book, registry)
    routes = RouteTable(SqlRoutes(database, outbox_of(database), Settings().quotas), book, offering, ANY_TARGET)
    registry.away = True
    created = await routes.create("domains/claims", "r", offered("domains/claims/routes/r"))
    assert registry.offers == {}
    registry.away = False
    await offering.tell()
    assert registry.offers == {created.name: created}
    calls = registry.calls
    await offering.tell()
    assert registry.calls == calls, "nothing is told twice"
    registry.offers.clear()
    await offering.tell(again=True)
    assert list(registry.offers) == [created.name]


async def test_many_offers_are_told_in_ranges_that_leave_nothing_out() -> None:
    registry, book = Registry(), RouteBook()
    routes = [offered(f"domains/claims/routes/r{number:04}") for number in range(1_201)]
    registry.offers["domains/claims/routes/gone"] = registry.offers["domains/a/routes/gone"] = routes[0]
    book.replace(routes)
    await Offering(book, registry).tell()
    assert registry.calls == 3
    assert registry.offers == {route.name: route for route in routes}


async def test_a_route_names_at_most_a_thousand_receivers(database: Database) -> None:
    routes, _ = await table(database)
    with pytest.raises(MeshError, match=r"route\.shared_with"):
        await routes.create("domains/claims", "r", offered("domains/claims/routes/r", *["*"] * 1_001))
