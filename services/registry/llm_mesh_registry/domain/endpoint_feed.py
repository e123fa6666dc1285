"""What adapters are told of endpoints that platform administrators added: all of an adapter's, and again after each change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.endpoints import ENDPOINT

ByAdapter = Mapping[str, Sequence[registry_pb2.Endpoint]]


class EndpointFeed:
    """The endpoints with a connection, by adapter."""

    def __init__(self) -> None:
        self._by_adapter: ByAdapter = {}
        self._changed = asyncio.Condition()

    async def put(self, endpoints: Iterable[registry_pb2.Endpoint]) -> None:
        """These are all endpoints now; whoever watches an adapter whose own changed is told."""
        by_adapter: dict[str, list[registry_pb2.Endpoint]] = {}
        for endpoint in sorted(endpoints, key=lambda each: each.name):
            if endpoint.HasField("connection"):
                by_adapter.setdefault(ENDPOINT.parse(endpoint.name)[0], []).append(endpoint)
        before, self._by_adapter = self._by_adapter, by_adapter
        if before != by_adapter:
            async with self._changed:
                self._changed.notify_all()

    async def watch(self, adapter: str, lifetime: float) -> AsyncIterator[registry_pb2.WatchEndpointsResponse]:
        """All endpoints of an adapter, and again after each change, for `lifetime` seconds."""
        end = asyncio.get_running_loop().time() + lifetime
        while True:
            sent = self._of(adapter)
            yield registry_pb2.WatchEndpointsResponse(endpoints=sent)
            left = end - asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(left), self._changed:
                    await self._changed.wait_for(lambda: self._of(adapter) != sent)  # noqa: B023 - awaited before `sent` changes
            except TimeoutError:
                return

    def _of(self, adapter: str) -> Sequence[registry_pb2.Endpoint]:
        return self._by_adapter.get(adapter, ())
