"""The adapter, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh.adapter.v1 import adapter_pb2_grpc
from llm_mesh_adapter_kit.endpoints import EndpointTable
from llm_mesh_adapter_kit.google_accounts import Issuers
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_kit.servicer import AdapterServicer
from llm_mesh_adapter_kit.tokens import TokenSigner
from llm_mesh_adapter_kit.wiring import assemble, with_added
from llm_mesh_adapter_openai.provider.dialect import OpenAIDialect
from llm_mesh_adapter_openai.provider.methods import OpenAIMethods
from llm_mesh_adapter_openai.provider.overrides import added, configured
from llm_mesh_adapter_openai.provider.rows import ROWS
from llm_mesh_adapter_openai.provider.vertex import VertexAccount
from llm_mesh_adapter_openai.settings import Settings
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.service import Service, Servicers

if TYPE_CHECKING:
    from llm_mesh_runtime.links import Links


def build(settings: Settings, links: Links) -> Servicers:
    """Puts the adapter together."""
    keys = {row.key: getattr(settings, row.key) for row in ROWS if row.key}
    simulator = dict.fromkeys(("simulator", "simulator-responses"), f"http://{settings.simulator}/v1") if settings.simulator else {}
    issuers = Issuers(SystemClock())
    vertex = VertexAccount(issuers, settings.vertex_credentials_file, settings.vertex_project, settings.vertex_location)
    texts = {**simulator, **settings.endpoints}
    table = configured(texts, keys, settings.credentials, max_in_flight=settings.max_in_flight, vertex=vertex)
    limits = Limits(
        connect=settings.connect_timeout.total_seconds(),
        first_token=settings.first_token_timeout.total_seconds(),
        idle=settings.idle_timeout.total_seconds(),
        total=settings.total_timeout.total_seconds(),
    )
    made = assemble(
        "openai",
        OpenAIDialect(table.rows),
        EndpointTable(table.endpoints),
        links,
        limits,
        vectors_memory=settings.vectors_memory,
        methods=OpenAIMethods(table.rows).all(),
    )
    made = with_added(made, links, settings, lambda setting: added(setting, table.rows, max_in_flight=settings.max_in_flight))

    async def close() -> None:
        await made.close()
        for endpoint in table.endpoints:
            if isinstance(endpoint.signer, TokenSigner):
                await endpoint.signer.close()
        await issuers.close()

    servicer = AdapterServicer(made.adapter)
    return Servicers((adapter_pb2_grpc.add_AdapterServiceServicer_to_server, servicer), start=made.start, close=close)


service = Service.declared("adapter/openai", settings=Settings, build=build)
