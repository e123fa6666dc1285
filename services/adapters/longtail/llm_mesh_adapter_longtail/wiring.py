"""Puts an adapter over a library together; each adapter's own wiring calls it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from llm_mesh.adapter.v1 import adapter_pb2_grpc
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_kit.servicer import AdapterServicer
from llm_mesh_adapter_kit.wiring import assemble
from llm_mesh_adapter_longtail.client import ProcessClient
from llm_mesh_adapter_longtail.dialect import LongtailDialect
from llm_mesh_adapter_longtail.endpoints import LibraryEndpoints
from llm_mesh_adapter_longtail.process import LibraryProcess, ProcessBounds
from llm_mesh_runtime.service import Servicers

if TYPE_CHECKING:
    from llm_mesh_runtime.links import Links


class LibraryNotLoadedError(Exception):
    """The adapter has no library to call, yet or again: calls are for other replicas until it has."""


class WrappedLibrary(NamedTuple):
    """A library, and what wraps it."""

    name: str
    """Of the adapter, such as `litellm`."""
    module: str
    """Has the function `library`, which is called in the library's process."""
    environment: Mapping[str, str]
    """What turns off what the library does besides."""
    python: str = sys.executable
    """Runs the library."""


def assembled(wrapped: WrappedLibrary, endpoints: LibraryEndpoints, links: Links, limits: Limits, memory: int) -> Servicers:
    """The adapter over a library, whose process starts with it where there is an endpoint."""
    bounds = ProcessBounds(memory=memory, environment=wrapped.environment, endpoints=endpoints.reachable)
    process = LibraryProcess(wrapped.module, bounds, python=wrapped.python)
    dialect = LongtailDialect(endpoints.providers)
    made = assemble(
        wrapped.name,
        dialect,
        endpoints.table,
        links,
        limits,
        methods=dialect.methods(),
        client=lambda endpoint: ProcessClient(endpoint, process),
    )
    registration = (adapter_pb2_grpc.add_AdapterServiceServicer_to_server, AdapterServicer(made.adapter))

    async def start() -> None:
        if endpoints.providers:
            process.start()

    async def ready() -> None:
        if endpoints.providers and not process.loaded:
            raise LibraryNotLoadedError(process.why or "the library is still loading")

    async def close() -> None:
        await made.close()
        await process.close()

    return Servicers(registration, ready=ready, start=start, close=close)
