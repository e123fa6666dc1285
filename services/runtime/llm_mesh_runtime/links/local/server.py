"""The handlers of one hosted service, as the local link reaches them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from llm_mesh_runtime.links.local.deadlines import CallDeadlines

if TYPE_CHECKING:
    from llm_mesh_runtime.context import Frame
    from llm_mesh_runtime.links.local.exchange import CallState
    from llm_mesh_runtime.pipeline import Transport, Wrapped


def local_origin(transport: Transport) -> Frame:
    """The link itself knows which service calls; metadata that crosses it is the mesh's own."""
    return transport.frame  # type: ignore[attr-defined,no-any-return]  # every transport of such a link is an exchange


class LocalServer:
    """Handlers by path, and the calls that they serve."""

    def __init__(self, name: str, handlers: Iterable[Wrapped]) -> None:
        self.name = name
        self.handlers = {wrapped.method.path: wrapped for wrapped in handlers}
        self.running: set[CallState] = set()
        self.deadlines = CallDeadlines()
        self.open = True

    async def close(self) -> None:
        """Take no more calls, and end those that still run."""
        self.open = False
        while self.running:
            for exchange in tuple(self.running):
                exchange.terminate()
            await asyncio.sleep(0)
