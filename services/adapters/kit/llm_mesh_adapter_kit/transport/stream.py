"""A socket as httpcore2 wants it: bounded in what it reads ahead, and closed at once."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import cast

from httpcore2 import AsyncNetworkStream, ReadError

from llm_mesh_adapter_kit.client.connection import LOOK, MOST_HEAD, ROOM


class SocketStream(asyncio.BufferedProtocol, AsyncNetworkStream):
    """Bytes from and to one socket. `gone` tells the client that it is closed."""

    def __init__(self, room: memoryview, gone: Callable[[SocketStream], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = room
        self._gone = gone
        self._pieces: list[bytes] = []
        self._held = 0
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._lost = False
        self._quiet = 0
        self.socket: socket.socket | None = None
        self.closed: asyncio.Future[None] = self._loop.create_future()

    # What the transport says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Room for a read. All connections of a client share it: it is emptied before any other reads."""
        del sizehint
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        self._pieces.append(bytes(self._room[:nbytes]))
        self._held += nbytes
        if self._held >= ROOM and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._lost = True
        self._transport = self.socket = None
        self._wake()
        self._gone(self)
        if not self.closed.done():
            self.closed.set_result(None)

    # What httpcore2 asks for. Deadlines are those of whoever waits for an answer, so that its timeouts are not used.

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 (httpcore2's)
        """Some of what came; empty at the end. What is read while no answer gets on by it is bounded as a head is."""
        del timeout
        if self._quiet > MOST_HEAD:
            self.abort()
            raise ReadError("more than a head may have")
        while not self._pieces:
            if self._lost and not self._ended:
                raise ReadError("closed")
            if self._ended:
                return b""
            self._waiter = self._loop.create_future()
            await self._waiter
        data = b"".join(self._pieces)
        most = min(max_bytes, ROOM)
        data, rest = data[:most], data[most:]
        self._pieces = [rest] if rest else []
        if self._held >= ROOM > len(rest) and self._transport is not None:
            self._transport.resume_reading()
        self._held = len(rest)
        self._quiet += len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 (httpcore2's)
        """Hand over at once: a request is in memory anyway, and its answer may come before it is sent whole.

        Where the connection is gone the next read says so, once it has given what came before.
        """
        del timeout
        if buffer and self._transport is not None and not self._transport.is_closing():
            self._transport.write(buffer)

    async def aclose(self) -> None:
        self.abort()

    def get_extra_info(self, info: str) -> object:
        return self._transport.get_extra_info(info) if self._transport is not None else None

    # What the client asks for.

    async def secure(self, context: ssl.SSLContext, host: str) -> bool:
        """Speak TLS from now on; whether the other side chose HTTP/2. Raises `OSError`."""
        if self._transport is None or self._pieces:
            raise ConnectionAbortedError("the other side spoke before TLS began")
        made = await self._loop.start_tls(self._transport, self, context, server_hostname=host)
        if made is None:
            raise ConnectionResetError("the connection broke off")
        self._transport = made
        chosen = made.get_extra_info("ssl_object")
        return chosen is not None and chosen.selected_alpn_protocol() == "h2"

    def progress(self) -> None:
        """An answer got on by what was read."""
        self._quiet = 0

    @property
    def usable(self) -> bool:
        """Whether another request may be sent: it stands, everything was sent, and nothing came unasked."""
        if self._lost or self._ended or self._pieces or self._transport is None or self._transport.is_closing():
            return False
        return not self._transport.get_write_buffer_size()

    @property
    def spoke(self) -> bool:
        """Whether the other side closed or says something that nobody asked for; the loop may not have seen it yet."""
        if self.socket is None:
            return True
        try:
            self.socket.recv(1, LOOK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
