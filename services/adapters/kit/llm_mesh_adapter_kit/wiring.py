"""Puts an adapter together from its dialect and endpoints; each adapter's own wiring calls it."""

from __future__ import annotations

from dataclasses import dataclass

from llm_mesh_adapter_kit.adapter import Adapter
from llm_mesh_adapter_kit.attempts import Attempts
from llm_mesh_adapter_kit.dialect import Dialect
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_adapter_kit.grants import GrantCheck
from llm_mesh_adapter_kit.http import HttpClient
from llm_mesh_adapter_kit.lanes import Lanes
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.telemetry import GenAi


class Clients:
    """One HTTP client per endpoint, made when it is first asked."""

    def __init__(self) -> None:
        self._clients: dict[str, HttpClient] = {}

    def of(self, endpoint: Endpoint) -> HttpClient:
        """The endpoint's client."""
        client = self._clients.get(endpoint.name)
        if client is None:
            from llm_mesh_adapter_kit.aiohttp_client import AiohttpClient  # noqa: PLC0415 (TLS contexts are made at its import)

            client = self._clients[endpoint.name] = AiohttpClient(endpoint.host, endpoint.rule)
        return client

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()


@dataclass(frozen=True, slots=True)
class Assembled:
    """The adapter, and what to close after it."""

    adapter: Adapter
    clients: Clients


def assemble(name: str, dialect: Dialect, table: EndpointTable, links: Links, limits: Limits) -> Assembled:
    """An adapter, such as `openai`."""
    clients, lanes = Clients(), Lanes(links.metrics)
    attempts = Attempts(dialect, lanes, clients.of, GenAi(links.metrics), limits)
    grants = GrantCheck(name, links.seals, SystemClock())
    return Assembled(Adapter(dialect, table, grants, attempts, lanes), clients)
