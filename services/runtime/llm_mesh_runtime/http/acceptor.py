"""Accepts all clients that wait, in one turn of the event loop.

uvloop's own servers accept one connection a turn. While turns are long, as under load, clients then wait in the kernel's queue, which
overflows; whose first packet was dropped tries again after seconds, so that even a refusal takes as long.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from llm_mesh_runtime.http.flow import LINGERING
from llm_mesh_runtime.http.tls import HANDSHAKE
from llm_mesh_runtime.log import get_logger

if TYPE_CHECKING:
    import ssl

    from llm_mesh_runtime.http.unauthenticated import Stranger, Strangers

AT_ONCE = 128
"""Connections of one turn: who waits is served soon, and those who are connected have their turn."""
_PAUSE = 0.1
"""Until it tries again, after the process could have no more open files."""


class Accepted(asyncio.Protocol):
    """The protocol of a connection that was accepted."""

    handshake: Stranger | None = None
    """Who stands for the connection among strangers until TLS is agreed on."""

    def shutdown(self) -> None:
        """The listener closes: finish what runs, and hang up."""
        raise NotImplementedError


class Handshake:
    """A connection on which TLS is being agreed: it counts among strangers like any other."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task

    def crowd_out(self) -> None:
        """See `Stranger`."""
        self._task.cancel()


class Acceptor:
    """One listening socket. With `tls` its connections are secured, and those that are not yet count among `strangers`."""

    def __init__(
        self,
        sock: socket.socket,
        factory: Callable[[], Accepted],
        tls: ssl.SSLContext | None = None,
        strangers: Strangers | None = None,
    ) -> None:
        self._socket = sock
        self._factory = factory
        self._tls = tls
        self._strangers = strangers
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[None]] = set()
        self._agreeing: set[asyncio.Task[Any]] = set()
        """Those of them that are agreeing on TLS."""
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
        for task in self._agreeing:
            task.cancel()  # who has not agreed on TLS has asked for nothing

    async def wait_closed(self) -> None:
        """Until those that were being connected are."""
        if self._connecting:
            await asyncio.wait(self._connecting)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                client, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # out of open files or memory: until some are closed, trying costs all that is left
                self._pause(error)
                return
            client.setblocking(False)
            work = self._connected(client) if self._tls is None else self._secured(client, address[0])
            task = self._loop.create_task(work)
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connected(self, client: socket.socket) -> None:
        with suppress(OSError):  # it has gone already
            _, protocol = await self._loop.connect_accepted_socket(self._factory, client)
            if self._closed:
                protocol.shutdown()

    async def _secured(self, client: socket.socket, address: str) -> None:
        task = asyncio.current_task()
        if task is None or self._has_ended():
            client.close()
            return
        protocol = self._factory()
        protocol.handshake = handshake = Handshake(task)
        self._agreeing.add(task)
        if self._strangers is not None:
            self._strangers.enter(handshake, address)
        try:
            with suppress(OSError):  # it has gone, took too long, or speaks no TLS that we do
                await self._loop.connect_accepted_socket(
                    lambda: protocol, client, ssl=self._tls, ssl_handshake_timeout=HANDSHAKE, ssl_shutdown_timeout=LINGERING
                )
                if self._has_ended():
                    protocol.shutdown()
        finally:
            self._agreeing.discard(task)
            if self._strangers is not None:
                self._strangers.leave(handshake)

    def _has_ended(self) -> bool:
        """Whether it was closed, also while something was awaited."""
        return self._closed

    def _pause(self, error: OSError) -> None:
        get_logger().warning("no connection can be accepted", error=error.strerror)
        self._loop.remove_reader(self._socket)
        self._paused = self._loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        self._paused = None
        self._loop.add_reader(self._socket, self._accept)
