"""Routes are kept alike in memory, in SQLite and in PostgreSQL."""

from __future__ import annotations

import pytest

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain.routes import RouteBook
from llm_mesh_router.domain.table import RouteTable
from llm_mesh_router.store.routes import SqlRoutes
from llm_mesh_router.store.tables import METADATA
from llm_mesh_runtime.database import Database, drift, migrate
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import page_of
from tests.recorded import outbox_of

MODEL = "domains/shared/models/a"


async def table(database: Database) -> tuple[RouteTable, RouteBook]:
    await migrate(database, "llm_mesh_router.store.migrations")
    book = RouteBook()
    return RouteTable(SqlRoutes(database, outbox_of(database)), book), book


def route(alias: str = "main", name: str = "") -> router_pb2.Route:
    return router_pb2.Route(name=name, alias=alias, targets=[router_pb2.RouteTarget(model=MODEL)])


async def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    await table(database)
    assert await drift(database, METADATA) == []


async def test_a_created_route_is_planned_by_at_once_and_read_back(database: Database) -> None:
    routes, book = await table(database)
    created = await routes.create("domains/claims", "r", route())
    assert await routes.get("domains/claims/routes/r") == created
    assert book.of_alias("main", "domains/claims")[0] == created


async def test_another_instance_sees_the_route_after_its_refresh(database: Database) -> None:
    routes, _ = await table(database)
    other_book = RouteBook()
    other = RouteTable(SqlRoutes(database, outbox_of(database)), other_book)
    await other.refresh()
    await routes.create("domains/claims", "r", route())
    await other.refresh()
    assert other_book.of_alias("main", "domains/claims")[0] is not None


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
        changes = await routes.apply("domains/claims", wanted, dry_run=dry_run)
        kinds.append({change.action for change in changes})
    create, none = resources_pb2.CHANGE_ACTION_CREATE, resources_pb2.CHANGE_ACTION_NONE
    assert kinds == [{create}, {create}, {none}]
    assert book.of_alias("b", "domains/claims")[0] is not None


async def test_an_apply_is_all_or_nothing(database: Database) -> None:
    routes, _ = await table(database)
    await routes.create("domains/claims", "taken", route("a"))
    wanted = [route("fresh", "domains/claims/routes/fresh"), route("a", "domains/claims/routes/clash")]
    with pytest.raises(MeshError, match="ALIAS_TAKEN"):
        await routes.apply("domains/claims", wanted, dry_run=False)
    with pytest.raises(MeshError, match="NOT_FOUND"):
        await routes.get("domains/claims/routes/fresh")


async def test_an_apply_stays_within_its_domain_unless_it_is_the_platforms(database: Database) -> None:
    routes, _ = await table(database)
    wanted = [route("a", "domains/claims/routes/a")]
    with pytest.raises(MeshError, match=r"routes\[0\].name"):
        await routes.apply("domains/other", wanted, dry_run=False)
    await routes.apply("domains/platform", wanted, dry_run=False)


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
