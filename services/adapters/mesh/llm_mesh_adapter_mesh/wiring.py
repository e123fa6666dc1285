"""The adapter, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh.adapter.v1 import adapter_pb2_grpc
from llm_mesh_adapter_kit.endpoint_list import EndpointList
from llm_mesh_adapter_kit.genai import GenAi
from llm_mesh_adapter_kit.grants import GrantCheck
from llm_mesh_adapter_kit.limits import AttemptLimits, Limits
from llm_mesh_adapter_kit.servicer import AdapterServicer
from llm_mesh_adapter_kit.vector_memory import VectorMemory
from llm_mesh_adapter_kit.wiring import added_endpoints, lanes_of, standing_of
from llm_mesh_adapter_mesh.provider.adapter import MeshAdapter
from llm_mesh_adapter_mesh.provider.attempts import MeshCalls
from llm_mesh_adapter_mesh.provider.connection import MeshConnections
from llm_mesh_adapter_mesh.provider.endpoints import added, configured
from llm_mesh_adapter_mesh.provider.forwarding import Sender
from llm_mesh_adapter_mesh.settings import Settings
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.service import Service, Servicers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_mesh_runtime.links import Links

_NAME = "mesh"


def build(settings: Settings, links: Links) -> Servicers:
    """Puts the adapter together."""
    if not links.mesh_id:
        raise ValueError("requests would go in circles unseen: set LLM_MESH_ID, or LLM_MESH_SECRET, from which the id derives")
    table = configured(settings)
    limits = Limits(
        connect=settings.connect_timeout.total_seconds(),
        first_token=settings.first_token_timeout.total_seconds(),
        idle=settings.idle_timeout.total_seconds(),
        total=settings.total_timeout.total_seconds(),
    )
    lanes, shared = lanes_of(_NAME, links)
    calls = MeshCalls(lanes, GenAi(links.metrics), MeshConnections(), {})
    listed = EndpointList(table, lanes, standing_of(lanes, links), lambda endpoint: calls.refusals.get(endpoint, ""))
    grants = GrantCheck(_NAME, links.seals, SystemClock())
    memory = VectorMemory(settings.vectors_memory)
    adapter = MeshAdapter(
        sender=Sender(links.mesh_id),
        table=table,
        grants=grants,
        calls=calls,
        limits=AttemptLimits(limits),
        memory=memory,
        listed=listed,
    )
    following = added_endpoints(table, links, settings, lambda setting: added(setting, max_in_flight=settings.max_in_flight))

    def changed(names: Iterable[str]) -> None:
        calls.connections.sweep(list(table))
        for name in names:
            lanes.renew(name)

    async def start() -> None:
        table.changed = changed
        if following is not None:
            following.start()

    async def close() -> None:
        if following is not None:
            await following.close()
        await calls.connections.close()
        if shared is not None:
            shared.close()

    return Servicers((adapter_pb2_grpc.add_AdapterServiceServicer_to_server, AdapterServicer(adapter)), start=start, close=close)


service = Service.declared("adapter/mesh", settings=Settings, build=build)
