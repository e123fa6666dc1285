"""Observability, put together."""

from __future__ import annotations

import secrets

from llm_mesh.observability.v1 import observability_pb2_grpc
from llm_mesh_observability.domain.observatory import Bounds, Observatory
from llm_mesh_observability.domain.resume_tokens import ResumeTokens
from llm_mesh_observability.peers import LedgerPeer
from llm_mesh_observability.servicer import ObservabilityServicer
from llm_mesh_observability.settings import Settings
from llm_mesh_observability.store.projection import SqlProjection
from llm_mesh_runtime.database import check, migrate
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.tasks import TaskSet

_NAME = "observability"
_PURPOSE = "llm_mesh.observability.v1.TailResponse.resume_token"
_MIGRATIONS = "llm_mesh_observability.store.migrations"


def build(settings: Settings, links: Links) -> Servicers:
    """Puts observability together."""
    database = links.database("observability")
    observatory = Observatory(
        SqlProjection(database),
        LedgerPeer(links.channel("policy")),
        ResumeTokens(_token_key(links)),
        tail_pause=settings.tail_pause.total_seconds(),
        tail_lifetime=settings.tail_lifetime.total_seconds(),
        bounds=Bounds(settings.tails, settings.queries, reserve=links.mesh.share_reserve),
    )
    tasks = TaskSet()

    async def start() -> None:
        await (migrate if links.mesh.embedded else check)(database, _MIGRATIONS)
        tasks.spawn(observatory.catch_up(), name="observability.catch_up")

    async def close() -> None:
        await tasks.close()
        await database.close()

    return Servicers(
        (observability_pb2_grpc.add_ObservabilityServiceServicer_to_server, ObservabilityServicer(observatory, tasks)),
        ready=database.ready,
        start=start,
        close=close,
    )


def _token_key(links: Links) -> bytes:
    """The same in all instances that share a secret; without one, tokens are valid in the process that made them."""
    if links.seals.knows(_NAME):
        return links.seals.seal(_NAME, _PURPOSE, b"")
    return secrets.token_bytes(32)


service = Service.declared(_NAME, settings=Settings, build=build)
