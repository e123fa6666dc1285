"""The catalogue, put together."""

from __future__ import annotations

from llm_mesh.catalogue.v1 import catalogue_pb2_grpc
from llm_mesh_catalogue.domain.catalogue import Catalogue
from llm_mesh_catalogue.domain.rendering import Renderer
from llm_mesh_catalogue.servicer import CatalogueServicer
from llm_mesh_catalogue.settings import Settings
from llm_mesh_catalogue.store.prompts import SqlPrompts
from llm_mesh_runtime.confined.limits import ProcessLimits
from llm_mesh_runtime.confined.pool import Confined
from llm_mesh_runtime.database import check, migrate
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.outbox import Outbox, RecordingPeer
from llm_mesh_runtime.service import Service, Servicers

_PROGRAM = "llm_mesh_catalogue.domain.program:answer"
_MIGRATIONS = "llm_mesh_catalogue.store.migrations"


def build(settings: Settings, links: Links) -> Servicers:
    """Puts the catalogue together."""
    database = links.database("catalogue")
    outbox = Outbox(database, RecordingPeer(links.channel("policy")))
    limits = ProcessLimits(cpu=settings.render_cpu.total_seconds(), memory=settings.render_memory)
    engine = Confined(_PROGRAM, limits, processes=settings.render_processes, waiting=settings.render_waiting)
    catalogue = Catalogue(SqlPrompts(database, outbox, settings.quotas), Renderer(engine), freshness=settings.freshness.total_seconds())

    async def start() -> None:
        await (migrate if links.mesh.embedded else check)(database, _MIGRATIONS)
        outbox.start()

    async def close() -> None:
        await engine.close()
        await outbox.close()
        await database.close()

    return Servicers(
        (catalogue_pb2_grpc.add_CatalogueServiceServicer_to_server, CatalogueServicer(catalogue)),
        ready=database.ready,
        start=start,
        close=close,
    )


service = Service.declared("catalogue", settings=Settings, build=build)
