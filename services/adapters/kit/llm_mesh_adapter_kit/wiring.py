"""Puts an adapter together from its dialect and endpoints; each adapter's own wiring calls it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias

from llm_mesh_adapter_kit.adapter import Adapter
from llm_mesh_adapter_kit.added.bounds import AddedEndpointBounds
from llm_mesh_adapter_kit.added.following import AddedEndpoints, MakeEndpoint
from llm_mesh_adapter_kit.added.settings import AddedEndpointSettings
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


class RetiringClient(HttpClient, Protocol):
    """A client whose endpoint may become another one."""

    @property
    def at_rest(self) -> bool:
        """Whether nothing of it is under way."""

    def retire(self) -> None:
        """Take no more than what is under way."""


MakeClient: TypeAlias = Callable[[Endpoint], RetiringClient]


class Clients:
    """One HTTP client per endpoint, made when it is first asked."""

    def __init__(self, table: EndpointTable, make: MakeClient | None = None) -> None:
        self._make = make or self._made
        self._clients: dict[tuple[str, str], tuple[Endpoint, RetiringClient]] = {}
        self._retired: list[RetiringClient] = []
        """Of endpoints that are others by now: calls under way end there."""
        self._secure = make is None and any(
            endpoint.usable and endpoint.transport.plain and endpoint.origin.startswith("https:") for endpoint in table
        )
        self._tls: ssl.SSLContext | None = None
        self._loading: asyncio.TimerHandle | None = None

    def of(self, endpoint: Endpoint) -> HttpClient:
        """The endpoint's client."""
        known = self._clients.get((endpoint.name, endpoint.origin))
        if known is None or known[0] is not endpoint:
            known = self._renewed(endpoint, known)
        return known[1]

    def sweep(self, table: EndpointTable) -> None:
        """Retire the clients of endpoints that are gone or changed."""
        current = {id(endpoint) for endpoint in table}
        for key, (endpoint, _) in list(self._clients.items()):
            if id(endpoint) not in current and endpoint.added:
                self._retire(self._clients.pop(key)[1])

    async def start(self) -> None:
        """Read the certificates a moment after the start, aside of the event loop: the first request need not wait, nor the start."""
        if self._secure:
            loop = asyncio.get_running_loop()
            self._loading = loop.call_later(_LOADED_AFTER, partial(loop.run_in_executor, None, self._trusted))

    async def close(self) -> None:
        """Close all connections."""
        if self._loading is not None:
            self._loading.cancel()
        for client in (*self._retired, *(client for _, client in self._clients.values())):
            await client.close()

    def _renewed(self, endpoint: Endpoint, known: tuple[Endpoint, RetiringClient] | None) -> tuple[Endpoint, RetiringClient]:
        if known is not None:
            self._retire(known[1])
        made = self._clients[endpoint.name, endpoint.origin] = (endpoint, self._make(endpoint))
        return made

    def _retire(self, client: RetiringClient) -> None:
        client.retire()
        self._retired = [each for each in (*self._retired, client) if not each.at_rest]

    def _made(self, endpoint: Endpoint) -> RetiringClient:
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
    table: EndpointTable
    attempts: Attempts
    added: AddedEndpoints | None = None

    async def start(self) -> None:
        """Read certificates, and follow the endpoints that are added."""
        await self.clients.start()
        if self.added is not None:
            self.added.start()

    async def close(self) -> None:
        """Close all connections, and what is shared with other processes."""
        if self.added is not None:
            await self.added.close()
        await self.clients.close()
        if self.shared is not None:
            self.shared.close()


def assemble(  # noqa: PLR0913 (what an adapter is made of, each by its name)
    name: str,
    dialect: Dialect,
    table: EndpointTable,
    links: Links,
    limits: Limits,
    *,
    vectors_memory: int = VECTORS_MEMORY,
    methods: DialectMethods = NO_METHODS,
    client: MakeClient | None = None,
) -> Assembled:
    """An adapter, such as `openai`. `client` makes the client of an endpoint; unset: one that speaks HTTP to it."""
    clients = Clients(table, client)
    lanes, shared = lanes_of(name, links)
    attempts = Attempts(
        dialect, lanes, clients.of, GenAi(links.metrics), limits, links.heavy, memory=VectorMemory(vectors_memory), methods=methods
    )
    grants = GrantCheck(name, links.seals, SystemClock())
    standing = standing_of(lanes, links)
    table.changed = partial(_changed, table, clients, lanes)
    adapter = Adapter(dialect, table, grants, attempts, lanes, standing)
    return Assembled(adapter, clients, shared, table, attempts)


def lanes_of(name: str, links: Links) -> tuple[Lanes, SharedFile | None]:
    """The bulkheads and breakers of an adapter, and what to close after them: the places that it shares with other processes."""
    shared = SharedFile(Path(links.mesh.sockets) / f"adapter-{name}.places") if links.mesh.sockets else None
    return Lanes(links.metrics, places=shared.lane if shared is not None else own_places, reserve=links.mesh.share_reserve), shared


def standing_of(lanes: Lanes, links: Links) -> UnclosedBreakers:
    """How the breakers of all processes stand; the others can ask for those of this one."""
    standing = UnclosedBreakers(links.service, links.mesh.process, lanes, _others(links))
    links.breakers.add(standing.own)
    return standing


def with_added(made: Assembled, links: Links, settings: AddedEndpointSettings, make: MakeEndpoint) -> Assembled:
    """The adapter, which follows the registry, unless its operator does not want that or there is no way to the registry."""
    return replace(made, added=added_endpoints(made.table, links, settings, make))


def added_endpoints(table: EndpointTable, links: Links, settings: AddedEndpointSettings, make: MakeEndpoint) -> AddedEndpoints | None:
    """What keeps the table as the registry has it; None where that is not to be."""
    channel = links.optional("registry") if settings.added_endpoints else None
    if channel is None:
        return None
    bounds = AddedEndpointBounds(settings, one_machine=links.embedded or bool(links.mesh.sockets))
    return AddedEndpoints(links.service.removeprefix("adapter/"), table, bounds, make, channel)


def _changed(table: EndpointTable, clients: Clients, lanes: Lanes, names: Iterable[str]) -> None:
    """Endpoints are others by now: old connections are kept no more, and what was learnt of the old address is forgotten."""
    clients.sweep(table)
    for name in names:
        lanes.renew(name)


def _others(links: Links) -> OtherProcesses:
    """The other processes of this mesh, for the one at whose public listener an operator asks."""
    names = links.names("process/") if links.embedded else ()
    return OtherProcesses({name: links.channel(name) for name in names if name != f"process/{links.mesh.process}"})
