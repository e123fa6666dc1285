"""Connections of both clients that a test feeds, as a transport would, without a socket."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator
from typing import Any, Protocol

from httpcore2 import URL, AsyncHTTP11Connection, Origin, Request

from llm_mesh_adapter_kit.client.answer import Answer
from llm_mesh_adapter_kit.client.connection import ROOM, Connection
from llm_mesh_adapter_kit.http import HttpAnswer
from llm_mesh_adapter_kit.transport.client import LibraryConnection
from llm_mesh_adapter_kit.transport.stream import SocketStream
from tests.adapter_kit.scripted_provider import Kind


class Wire:
    """A transport that a test speaks through."""

    def __init__(self) -> None:
        self.closed = False
        self.paused = False
        self.sent = b""
        self.protocol: asyncio.BaseProtocol | None = None

    def write(self, data: bytes) -> None:
        self.sent += data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True
        if isinstance(self.protocol, SocketStream):
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Heard(Protocol):
    """A connection that a test feeds."""

    wire: Wire

    async def ask(self) -> None:
        """Send a request."""

    async def say(self, *pieces: bytes) -> None:
        """The other side says these pieces, each on its own."""

    def end(self) -> None:
        """The other side closes."""

    async def answer(self) -> HttpAnswer:
        """The answer, once its head is there."""


class FastHeard:
    """Of the fast client."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.idle: list[Connection] = []
        self._room = memoryview(bytearray(ROOM))
        self.connection = Connection(self._room, made=lambda _: None, idle=self.idle.append, gone=lambda _: None)
        self.connection.connection_made(self.wire)  # type: ignore[arg-type]

    def asked(self) -> Answer:
        return self.connection.ask(b"POST / HTTP/1.1\r\n\r\n", b"")

    def feed(self, *pieces: bytes) -> None:
        for piece in pieces:
            if not self.wire.closed:
                self._room[: len(piece)] = piece
                self.connection.buffer_updated(len(piece))

    async def ask(self) -> None:
        self._answer = self.asked()

    async def say(self, *pieces: bytes) -> None:
        self.feed(*pieces)

    def end(self) -> None:
        if not self.wire.closed:
            self.connection.eof_received()
        self.connection.connection_lost(None)

    async def answer(self) -> HttpAnswer:
        await self._answer.head(time.monotonic() + 20)
        return self._answer


class Forgetful:
    """A client that keeps no connection."""

    def keep(self, connection: LibraryConnection) -> None:
        del connection

    def end(self, pieces: AsyncGenerator[bytes]) -> None:
        asyncio.get_running_loop().create_task(pieces.aclose())


class LibraryHeard:
    """Of the client over a library."""

    def __init__(self) -> None:
        self.wire = Wire()
        self._room = memoryview(bytearray(ROOM))
        self._stream = SocketStream(self._room, lambda _: None)
        self._stream.connection_made(self.wire)  # type: ignore[arg-type]
        self.wire.protocol = self._stream
        inner = AsyncHTTP11Connection(origin=Origin(b"http", b"x", 80), stream=self._stream)
        client: Any = Forgetful()
        self._connection = LibraryConnection(client, inner, self._stream)

    async def ask(self) -> None:
        url = URL(scheme=b"http", host=b"x", port=80, target=b"/")
        request = Request(b"POST", url, headers=[(b"host", b"x"), (b"content-length", b"0")])
        self._task = asyncio.ensure_future(self._connection.ask(request, math.inf))
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        while not self.wire.sent:  # noqa: ASYNC110 - the library tells nobody
            await asyncio.sleep(0)

    async def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            if not self.wire.closed:
                self._room[: len(piece)] = piece
                self._stream.buffer_updated(len(piece))

    def end(self) -> None:
        if not self.wire.closed:
            self._stream.eof_received()
        self._stream.connection_lost(None)

    async def answer(self) -> HttpAnswer:
        return await self._task


def heard_by(kind: Kind) -> Heard:
    """A connection of that client."""
    return FastHeard() if kind.name == "fast" else LibraryHeard()
