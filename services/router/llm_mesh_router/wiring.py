"""The router, put together."""

from __future__ import annotations

from llm_mesh.router.v1 import router_pb2_grpc
from llm_mesh_router.domain.accepted import AcceptedProducts
from llm_mesh_router.domain.archive import Archive
from llm_mesh_router.domain.decisions import Decisions
from llm_mesh_router.domain.explanations import Explanations
from llm_mesh_router.domain.models import Models
from llm_mesh_router.domain.offering import Offering
from llm_mesh_router.domain.ranking import Ranking
from llm_mesh_router.domain.resolution import Resolution
from llm_mesh_router.domain.router import Router
from llm_mesh_router.domain.routes import RouteBook
from llm_mesh_router.domain.table import RouteTable
from llm_mesh_router.domain.targets import Targets
from llm_mesh_router.peers import ModelRegistryPeer
from llm_mesh_router.servicer import RouterServicer
from llm_mesh_router.settings import Settings
from llm_mesh_router.store.decisions import SqlDecisions
from llm_mesh_router.store.routes import SqlRoutes
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.database import check, migrate
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.outbox import Outbox, RecordingPeer
from llm_mesh_runtime.refresh import repeat
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.tasks import TaskSet

_MIGRATIONS = "llm_mesh_router.store.migrations"
_ROUTES_UNREAD = "routes could not be read anew; the last known ones serve"


def build(settings: Settings, links: Links) -> Servicers:
    """Puts the router together."""
    database = links.database("router")
    models, book, accepted = Models(), RouteBook(), AcceptedProducts()
    registry = ModelRegistryPeer(links.channel("registry"), models, accepted)
    offering = Offering(book, registry)
    outbox = Outbox(database, RecordingPeer(links.channel("policy")))
    table = RouteTable(SqlRoutes(database, outbox, settings.quotas), book, offering, Targets(models, registry))
    decisions, decision_store, clock = Decisions(settings.decisions), SqlDecisions(database), SystemClock()
    router = Router(Resolution(models, book, accepted), Ranking(), decisions, links.seals, clock)
    archive = Archive(decisions, decision_store, clock)
    tasks = TaskSet()

    async def start() -> None:
        await (migrate if links.mesh.embedded else check)(database, _MIGRATIONS)
        outbox.start()
        await table.refresh()
        every = settings.refresh.total_seconds()
        tasks.spawn(registry.run(), name="router.models")
        tasks.spawn(repeat(table.refresh, every, delay=every, failing=_ROUTES_UNREAD), name="router.routes")
        tasks.spawn(archive.run(), name="router.archive")
        tasks.spawn(offering.run(every), name="router.offers")

    async def close() -> None:
        await tasks.close()
        await archive.close()
        await outbox.close()
        await database.close()

    servicer = RouterServicer(router, table, Explanations(decisions, decision_store, links.rights()))
    return Servicers((router_pb2_grpc.add_RouterServiceServicer_to_server, servicer), ready=database.ready, start=start, close=close)


service = Service.declared("router", settings=Settings, build=build)
