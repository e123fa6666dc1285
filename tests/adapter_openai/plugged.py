"""The adapter with parts of its own: another dialect, an endpoint that is in no table."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator

from llm_mesh.adapter.v1 import adapter_pb2_grpc
from llm_mesh_adapter_kit.dialect import Dialect
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_kit.servicer import AdapterServicer
from llm_mesh_adapter_kit.wiring import assemble
from llm_mesh_adapter_openai.settings import Settings
from llm_mesh_adapter_openai.wiring import service
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.service import Servicers
from llm_mesh_runtime.testing import host
from tests.adapter_openai.conftest import Client


@contextlib.asynccontextmanager
async def plugged(dialect: Dialect, endpoint: Endpoint, limits: Limits = Limits()) -> AsyncIterator[Client]:  # noqa: B008 (immutable)
    """A gateway's view of an adapter that is put together of these."""

    def build(_: Settings, links: Links) -> Servicers:
        made = assemble("openai", dialect, EndpointTable([endpoint]), links, limits)
        registration = (adapter_pb2_grpc.add_AdapterServiceServicer_to_server, AdapterServicer(made.adapter))
        return Servicers(registration, start=made.clients.start, close=made.close)

    async with host(dataclasses.replace(service, build=build)) as mesh:
        yield Client(mesh)
