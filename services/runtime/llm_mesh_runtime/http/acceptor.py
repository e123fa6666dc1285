"""Accepts all clients that wait, in one turn of the event loop.

uvloop's own servers accept one connection a turn. While turns are long, as under load, clients then wait in the kernel's queue, which
overflows; whose first packet was dropped tries again after seconds, so that even a refusal takes as long.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from llm_mesh_runtime.log import get_logger

AT_ONCE = 128
"""Connections of one turn: who waits is served soon, and those who are connected have their turn."""
_PAUSE = 0.1
"""Until it tries again, after the process could have no more open files."""


class Connected(Protocol):
    """What is asked of a connection's protocol: uvicorn's are such."""

    def shutdown(self) -> None:
        """The listener closes: finish what runs, and hang up."""


class Acceptor:
    """One listening socket. In uvicorn's eyes, a server of asyncio."""

    def __init__(self, sock: socket.socket, factory: Callable[[], asyncio.Protocol]) -> None:
        self._socket = sock
        self._factory = factory
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[None]] = set()
        self._paused: asyncio.TimerHandle | None = None
        self._closed = False
        self._loop.add_reader(sock, self._accept)

    def close(self) -> None:
        """Accept nobody any more."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._socket)
        if self._paused is not None:
            self._paused.cancel()

    async def wait_closed(self) -> None:
        """Until those that were being connected are."""
        if self._connecting:
            await asyncio.wait(self._connecting)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                client, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # out of open files or memory: until some are closed, trying costs all that is left
                self._pause(error)
                return
            client.setblocking(False)
            task = self._loop.create_task(self._connected(client))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connected(self, client: socket.socket) -> None:
        protocol: Connected
        with suppress(OSError):  # it has gone already
            _, protocol = await self._loop.connect_accepted_socket(self._factory, client)  # type: ignore[assignment]  # uvicorn's
            if self._closed:
                protocol.shutdown()

    def _pause(self, error: OSError) -> None:
        get_logger().warning("no connection can be accepted", error=error.strerror)
        self._loop.remove_reader(self._socket)
        self._paused = self._loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        self._paused = None
        self._loop.add_reader(self._socket, self._accept)
