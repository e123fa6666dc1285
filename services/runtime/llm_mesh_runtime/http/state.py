"""What the connections of one HTTP listener share: the application, the bounds, the time of day, and the end."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Protocol

from llm_mesh_runtime.http.names import Names
from llm_mesh_runtime.log import get_logger

if TYPE_CHECKING:
    from llm_mesh_runtime.http.bounds import HttpBounds
    from llm_mesh_runtime.service import HeadFilter

KEEP_ALIVE = 75.0
"""Seconds that a client may take between an answer and its next request."""
_CANCELLING = 1.0
"""Seconds for what was cancelled to end."""


class ServedConnection(Protocol):
    """What a listener asks of a client's protocol when it ends."""

    transport: asyncio.Transport

    def shutdown(self) -> None:
        """The listener closes: finish what runs, and hang up."""


class ListenerState:
    """Shared by the connections of one listener, from its start to its end."""

    def __init__(self, app: Any, door: HeadFilter | None, bounds: HttpBounds) -> None:  # noqa: ANN401 - an ASGI application
        self.app = app
        self.door = door
        self.bounds = bounds
        self.names = Names()
        self.connections: set[ServedConnection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.date: tuple[bytes, bytes] = (b"date", b"")
        """A header of every answer; at most one second old."""
        self._clock: asyncio.TimerHandle | None = None
        self._quiet = asyncio.Event()

    def start(self) -> None:
        """Begin to keep the time."""
        self._tick()

    def lost(self, connection: ServedConnection) -> None:
        """A connection is gone."""
        self.connections.discard(connection)
        if not self.connections:
            self._quiet.set()

    async def stop(self, grace: float) -> None:
        """Nobody is accepted any more: requests may end within the grace, and what still runs then is cancelled."""
        for connection in tuple(self.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(grace):
                await self._ended()
        except TimeoutError:
            get_logger().warning("the grace is over: running requests are cancelled", requests=len(self.tasks))
            for task in tuple(self.tasks):
                task.cancel()
            if self.tasks:
                await asyncio.wait(self.tasks, timeout=_CANCELLING)
            for connection in tuple(self.connections):
                connection.transport.abort()
        if self._clock is not None:
            self._clock.cancel()

    def _tick(self) -> None:
        now = time.time()
        self.date = (b"date", formatdate(now, usegmt=True).encode())
        self._clock = asyncio.get_running_loop().call_later(1.0 - now % 1.0, self._tick)

    async def _ended(self) -> None:
        while self.connections:
            self._quiet.clear()
            await self._quiet.wait()
        while self.tasks:
            await asyncio.wait(self.tasks)
