"""The adapter, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh.adapter.v1 import adapter_pb2_grpc
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_kit.rpc.client import client_of
from llm_mesh_adapter_kit.servicer import AdapterServicer
from llm_mesh_adapter_kit.wiring import assemble, with_added
from llm_mesh_adapter_oip.provider.dialect import OipDialect
from llm_mesh_adapter_oip.provider.endpoints import added, configured
from llm_mesh_adapter_oip.provider.reranking import methods
from llm_mesh_adapter_oip.settings import Settings
from llm_mesh_runtime.service import Service, Servicers

if TYPE_CHECKING:
    from llm_mesh_runtime.links import Links


def build(settings: Settings, links: Links) -> Servicers:
    """Puts the adapter together."""
    limits = Limits(
        connect=settings.connect_timeout.total_seconds(),
        first_token=settings.first_token_timeout.total_seconds(),
        idle=settings.idle_timeout.total_seconds(),
        total=settings.total_timeout.total_seconds(),
    )
    made = assemble("oip", OipDialect(), configured(settings), links, limits, methods=methods(), client=client_of)
    made = with_added(made, links, settings, lambda setting: added(setting, settings))
    registration = (adapter_pb2_grpc.add_AdapterServiceServicer_to_server, AdapterServicer(made.adapter))
    return Servicers(registration, start=made.start, close=made.close)


service = Service.declared("adapter/oip", settings=Settings, build=build)
