"""Puts an adapter together from its dialect and endpoints; each adapter's own wiring calls it."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from llm_mesh_adapter_kit.adapter import Adapter
from llm_mesh_adapter_kit.attempts import Attempts
from llm_mesh_adapter_kit.bulkhead import SharedFile, own_places
from llm_mesh_adapter_kit.client.pool import Pool, tls_context
from llm_mesh_adapter_kit.dialect import Dialect
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_adapter_kit.genai import GenAi
from llm_mesh_adapter_kit.grants import GrantCheck
from llm_mesh_adapter_kit.http import HttpClient
from llm_mesh_adapter_kit.lanes import Lanes
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_kit.methods import NO_METHODS, DialectMethods
from llm_mesh_adapter_kit.standing import UnclosedBreakers
from llm_mesh_adapter_kit.vector_memory import VectorMemory
from llm_mesh_runtime.breakers import OtherProcesses
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.links import Links

_LOADED_AFTER = 1.0
VECTORS_MEMORY = 256 * 1024 * 1024
"""Bytes of vectors that the answers of one endpoint may have at once, where the operator says nothing."""


class Clients:
    """One HTTP client per endpoint, made when it is first asked."""

    def __init__(self, table: EndpointTable) -> None:
        self._clients: dict[str, HttpClient] = {}
        self._secure = any(endpoint.usable and endpoint.transport.plain and endpoint.origin.startswith("https:") for endpoint in table)
        self._tls: ssl.SSLContext | None = None
        self._loading: asyncio.TimerHandle | None = None

    def of(self, endpoint: Endpoint) -> HttpClient:
        """The endpoint's client."""
        client = self._clients.get(endpoint.name)
        if client is None:
            client = self._clients[endpoint.name] = self._made(endpoint)
        return client

    async def start(self) -> None:
        """Read the certificates a moment after the start, aside of the event loop: the first request need not wait, nor the start."""
        if self._secure:
            loop = asyncio.get_running_loop()
            self._loading = loop.call_later(_LOADED_AFTER, partial(loop.run_in_executor, None, self._trusted))

    async def close(self) -> None:
        """Close all connections."""
        if self._loading is not None:
            self._loading.cancel()
        for client in self._clients.values():
            await client.close()

    def _made(self, endpoint: Endpoint) -> HttpClient:
        """The fast client, and the other one where the endpoint's transport has settings."""
        if endpoint.transport.plain:
            return Pool(endpoint.origin, endpoint.rule, self._trusted)
        from llm_mesh_adapter_kit.transport.client import LibraryClient  # noqa: PLC0415 - an optional part, which loads for 0.3 s

        return LibraryClient(endpoint.origin, endpoint.rule, endpoint.transport)

    def _trusted(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = tls_context()
        return self._tls


@dataclass(frozen=True, slots=True)
class Assembled:
    """The adapter, and what to close after it."""

    adapter: Adapter
    clients: Clients
    shared: SharedFile | None

    async def close(self) -> None:
        """Close all connections, and what is shared with other processes."""
        await self.clients.close()
        if self.shared is not None:
            self.shared.close()


def assemble(
    name: str,
    dialect: Dialect,
    table: EndpointTable,
    links: Links,
    limits: Limits,
    *,
    vectors_memory: int = VECTORS_MEMORY,
    methods: DialectMethods = NO_METHODS,
) -> Assembled:
    """An adapter, such as `openai`."""
    clients = Clients(table)
    shared = SharedFile(Path(links.mesh.sockets) / f"adapter-{name}.places") if links.mesh.sockets else None
    lanes = Lanes(links.metrics, places=shared.lane if shared is not None else own_places, reserve=links.mesh.share_reserve)
    attempts = Attempts(
        dialect, lanes, clients.of, GenAi(links.metrics), limits, links.heavy, memory=VectorMemory(vectors_memory), methods=methods
    )
    grants = GrantCheck(name, links.seals, SystemClock())
    standing = UnclosedBreakers(links.service, links.mesh.process, lanes, _others(links))
    links.breakers.add(standing.own)
    return Assembled(Adapter(dialect, table, grants, attempts, lanes, standing), clients, shared)


def _others(links: Links) -> OtherProcesses:
    """The other processes of this mesh, for the one at whose public listener an operator asks."""
    names = links.names("process/") if links.embedded else ()
    return OtherProcesses({name: links.channel(name) for name in names if name != f"process/{links.mesh.process}"})
