"""One address of a peer: connects, waits longer after each failure, makes a successor before the old connection ends."""

from __future__ import annotations

import asyncio
import enum
import time
from typing import TYPE_CHECKING

import grpc

from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.links.mux.dial import PlainOnlyError
from llm_mesh_runtime.links.mux.plain import Plain
from llm_mesh_runtime.log import get_logger

if TYPE_CHECKING:
    from llm_mesh_runtime.links.mux.connection import LinkConnection
    from llm_mesh_runtime.links.mux.dial import Dialled, LinkDialler
    from llm_mesh_runtime.links.mux.pool import LinkPool

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 1.0
"""A peer that starts is found within a second: trying to reach an address costs next to nothing, and calls fail meanwhile."""
PLAIN_FOR = 60.0
"""Seconds after which an address that did not speak the link is asked again."""
_STEADY = 5.0
"""A connection that lasted so long is followed by the next one at once."""

_BRIEF = 0.1
"""Likewise where it still stands and only asks for a successor."""


class AddressState(enum.Enum):
    """What an address does."""

    NONE = "none"
    CONNECTING = "connecting"
    READY = "ready"
    PLAIN = "plain"
    FAILED = "failed"


class Member:
    """One address, in the pool of its peer."""

    def __init__(self, target: str, dialler: LinkDialler, pool: LinkPool) -> None:
        self.target = target
        self.state = AddressState.NONE
        self._dialler = dialler
        self._pool = pool
        self._backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        self._current: LinkConnection | None = None
        self._connected = 0.0
        self._leaving = asyncio.Event()
        self._plain: Plain | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect, and stay connected."""
        self._move(AddressState.CONNECTING)
        self._task = self._pool.tasks.spawn(self._follow(), name=f"link to {self._pool.peer} at {self.target}")

    def leave(self) -> None:
        """The name no longer has the address: calls that run may finish."""
        if self._task is not None:
            self._task.cancel()
        self._retire(self._current)
        self._retire_plain()
        self._move(AddressState.NONE)

    async def close(self) -> None:
        """End what runs."""
        plain, self._plain = self._plain, None
        if plain is not None:
            await plain.close()
        self._move(AddressState.NONE)

    async def _follow(self) -> None:
        while True:
            pause = await self._attempt()
            if pause:
                await asyncio.sleep(pause)

    async def _attempt(self) -> float:
        """Connect once, and wait until there is reason to connect again. How long to wait before that."""
        try:
            dialled = await self._dialler.connect(self.target)
        except PlainOnlyError:
            return self._fallen_back()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError, MeshError, TimeoutError) as error:
            return self._failed(error)
        self._joined(dialled)
        await self._leaving.wait()
        steady = time.monotonic() - self._connected >= (_STEADY if self._current is None else _BRIEF)
        if steady:
            self._backoff.reset()
        if self._current is None:
            self._move(AddressState.CONNECTING if steady else AddressState.FAILED)
        return 0.0 if steady else self._backoff.pause()

    def _joined(self, dialled: Dialled) -> None:
        predecessor, self._current = self._current, dialled.connection
        self._connected = time.monotonic()
        self._leaving = leaving = asyncio.Event()
        connection = dialled.connection

        def left(serves: bool) -> None:  # noqa: FBT001 - the callback's form
            leaving.set()
            if not serves:
                self._retire(connection)

        connection.leaving = left
        connection.attach(self._pool)
        self._pool.tasks.spawn(self._carry(dialled, leaving), name=f"connection to {self._pool.peer} at {self.target}")
        self._pool.joined(connection)
        self._move(AddressState.READY)
        self._retire(predecessor)
        self._retire_plain()

    async def _carry(self, dialled: Dialled, leaving: asyncio.Event) -> None:
        try:
            fault = await dialled.run()
            if fault:
                get_logger().error("a connection of the batched link broke", peer=self._pool.peer, address=self.target, reason=fault)
        finally:
            self._retire(dialled.connection)
            leaving.set()

    def _retire(self, connection: LinkConnection | None) -> None:
        if connection is not None:
            self._pool.left(connection)
            connection.retire()
            if connection is self._current:
                self._current = None

    def _fallen_back(self) -> float:
        if self._plain is None:
            get_logger().warning("a peer does not speak the batched link: plain gRPC instead", peer=self._pool.peer, address=self.target)
            self._plain = Plain(self._dialler.plain(self.target))
            self._pool.joined(self._plain)
        self._move(AddressState.PLAIN)
        return PLAIN_FOR

    def _failed(self, error: Exception) -> float:
        if self.state is not AddressState.FAILED and self._current is None and self._plain is None:
            why = error.details() if isinstance(error, grpc.aio.AioRpcError) else str(error) or type(error).__name__
            get_logger().warning("a peer does not answer", peer=self._pool.peer, address=self.target, reason=why)
            self._move(AddressState.FAILED)
        return self._backoff.pause()

    def _retire_plain(self) -> None:
        plain, self._plain = self._plain, None
        if plain is not None:
            self._pool.left(plain)
            self._pool.tasks.spawn(plain.finish(), name=f"plain gRPC to {self._pool.peer} at {self.target}")

    def _move(self, new: AddressState) -> None:
        old, self.state = self.state, new
        if old is not new:
            self._pool.moved(old, new)
