"""The adapter, put together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llm_mesh.adapter.v1 import adapter_pb2_grpc
from llm_mesh_adapter_bedrock.provider.dialect import BedrockDialect
from llm_mesh_adapter_bedrock.provider.overrides import added, configured
from llm_mesh_adapter_bedrock.settings import Settings
from llm_mesh_adapter_kit.aws import botocore_present, load_botocore
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_kit.servicer import AdapterServicer
from llm_mesh_adapter_kit.wiring import assemble, with_added
from llm_mesh_runtime.service import Service, Servicers

if TYPE_CHECKING:
    from llm_mesh_runtime.links import Links

_LOADED_AFTER = 1.0


def build(settings: Settings, links: Links) -> Servicers:
    """Puts the adapter together."""
    limits = Limits(
        connect=settings.connect_timeout.total_seconds(),
        first_token=settings.first_token_timeout.total_seconds(),
        idle=settings.idle_timeout.total_seconds(),
        total=settings.total_timeout.total_seconds(),
    )
    known = configured(settings)
    made = assemble("bedrock", BedrockDialect(known.facts), known.table, links, limits)
    made = with_added(made, links, settings, lambda setting: added(setting, settings, known.facts))
    registration = (adapter_pb2_grpc.add_AdapterServiceServicer_to_server, AdapterServicer(made.adapter))
    needed = botocore_present() and any(endpoint.usable and not endpoint.local for endpoint in known.table)

    async def start() -> None:
        await made.start()
        if needed:  # a moment after the start, aside of the event loop: neither the start nor the first request waits
            loop = asyncio.get_running_loop()
            loop.call_later(_LOADED_AFTER, loop.run_in_executor, None, load_botocore)

    return Servicers(registration, start=start, close=made.close)


service = Service.declared("adapter/bedrock", settings=Settings, build=build)
