"""The adapter, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh.adapter.v1 import adapter_pb2_grpc
from llm_mesh_adapter_gemini.provider.dialect import GeminiDialect
from llm_mesh_adapter_gemini.provider.overrides import added, configured
from llm_mesh_adapter_gemini.settings import Settings
from llm_mesh_adapter_kit.google_accounts import Issuers
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_kit.servicer import AdapterServicer
from llm_mesh_adapter_kit.wiring import assemble, with_added
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.service import Service, Servicers

if TYPE_CHECKING:
    from llm_mesh_runtime.links import Links


def build(settings: Settings, links: Links) -> Servicers:
    """Puts the adapter together."""
    issuers = Issuers(SystemClock())
    providers = configured(settings, issuers)
    limits = Limits(
        connect=settings.connect_timeout.total_seconds(),
        first_token=settings.first_token_timeout.total_seconds(),
        idle=settings.idle_timeout.total_seconds(),
        total=settings.total_timeout.total_seconds(),
    )
    made = assemble("gemini", GeminiDialect(providers.apis), providers.table, links, limits, vectors_memory=settings.vectors_memory)
    made = with_added(made, links, settings, lambda setting: added(setting, settings, issuers, providers.apis))

    async def close() -> None:
        await made.close()
        for signer in providers.signers:
            await signer.close()
        await issuers.close()

    registration = (adapter_pb2_grpc.add_AdapterServiceServicer_to_server, AdapterServicer(made.adapter))
    return Servicers(registration, start=made.start, close=close)


service = Service.declared("adapter/gemini", settings=Settings, build=build)
