"""The handlers of one hosted service, as the local link reaches them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from llm_mesh_runtime.context import REQUEST_ID
from llm_mesh_runtime.links.local.deadlines import Deadlines
from llm_mesh_runtime.pipeline.transport import Inbound, Transport

if TYPE_CHECKING:
    from llm_mesh_runtime.links.local.exchange import Exchange
    from llm_mesh_runtime.pipeline import Wrapped


def local_origin(transport: Transport) -> Inbound:
    """The local link itself knows which service calls; metadata that crosses it is the mesh's own."""
    exchange: Exchange = transport  # type: ignore[assignment]  # as every transport of this link
    metadata: dict[str, Any] = dict(exchange.metadata)
    given = (metadata, exchange.peer_service, metadata.get(REQUEST_ID, ""))
    return tuple.__new__(Inbound, given)  # which spares each call the Python function that a named tuple's constructor is


class LocalServer:
    """Handlers by path, and the calls that they serve."""

    def __init__(self, name: str, handlers: Iterable[Wrapped]) -> None:
        self.name = name
        self.handlers = {wrapped.method.path: wrapped for wrapped in handlers}
        self.running: set[Exchange] = set()
        self.deadlines = Deadlines()
        self.open = True

    async def close(self) -> None:
        """Take no more calls, and end those that still run."""
        self.open = False
        while self.running:
            for exchange in tuple(self.running):
                exchange.terminate()
            await asyncio.sleep(0)
