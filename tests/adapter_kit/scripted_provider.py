"""A server that answers with the bytes that a test gives it, in the pieces that it gives."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.client.pool import Pool, tls_context
from llm_mesh_adapter_kit.http import HttpClient, HttpRequest
from llm_mesh_adapter_kit.transport.settings import TransportSettings

LOOPBACK = AddressRule(local=True)
Handler = Callable[["Visit"], Awaitable[None]]
_ACCEPTING = 5
"""Turns of the loop after which a connection that waits is a visit. One that asyncio has half taken when its server closes stays open."""


class Visit:
    """One connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.left = asyncio.Event()

    async def request(self) -> bytes:
        """The next request, whole; empty where the client has left."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int((head.lower().partition(b"content-length:")[2] or b"0\r\n").split(b"\r\n")[0])
            return head + await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""

    async def say(self, *pieces: bytes) -> None:
        """Each piece on its own: the other side's loop turns in between."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0)


class Provider:
    """The server, and who has come to it."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.visits: list[Visit] = []
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        visit = Visit(reader, writer)
        self.visits.append(visit)
        with contextlib.suppress(ConnectionError):
            await self._handler(visit)
        writer.close()


@contextlib.asynccontextmanager
async def provider(handler: Handler, *, context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Provider, int]]:
    """The server, and its port."""
    made = Provider(handler)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
    try:
        yield made, server.sockets[0].getsockname()[1]
    finally:
        for _ in range(_ACCEPTING):
            await asyncio.sleep(0)
        server.close()
        for visit in made.visits:
            visit.writer.transport.abort()


class Kind:
    """One of the two clients that implement `HttpClient`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.step = 1 if name == "fast" else 7
        """At how many places answers are cut: the library's parser is its own business."""

    def client(self, origin: str, authorities: Path | None = None, rule: AddressRule = LOOPBACK, **transport: Any) -> HttpClient:
        """A client of an origin; `authorities` in the place of the system's."""
        if self.name == "library":
            from llm_mesh_adapter_kit.transport.client import LibraryClient  # noqa: PLC0415 - of an extra, which an adapter alone lacks

            return LibraryClient(origin, rule, TransportSettings(authorities=str(authorities or ""), **transport))
        return Pool(origin, rule, lambda: _trusting(authorities))

    @contextlib.asynccontextmanager
    async def pool(self, port: int) -> AsyncIterator[HttpClient]:
        """A client of the server."""
        made = self.client(f"http://127.0.0.1:{port}")
        try:
            yield made
        finally:
            await made.close()


def _trusting(authorities: Path | None) -> ssl.SSLContext:
    context = tls_context()
    if authorities is not None:
        context.load_verify_locations(authorities)
    return context


def asking(port: int, method: str = "POST", path: str = "/v1/x", **more: object) -> HttpRequest:
    """A request to the server."""
    body = b"{}" if method == "POST" else b""
    return HttpRequest(f"http://127.0.0.1:{port}{path}", {"a": "b"}, body, method)._replace(**more)  # type: ignore[arg-type]


async def whole(client: HttpClient, request: HttpRequest) -> bytes:
    """The body of an answer, read to its end."""
    answer = await client.send(request)
    pieces = []
    while piece := await answer.read():
        pieces.append(piece)
    answer.close()
    return b"".join(pieces)


def answering(*answers: bytes) -> Handler:
    """Answers one request after the other on each connection, and closes after the last."""

    async def handle(visit: Visit) -> None:
        for answer in answers:
            if not await visit.request():
                return
            await visit.say(answer)

    return handle


def sized(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer with its length."""
    return b"HTTP/1.1 " + status + b"\r\n" + b"".join(each + b"\r\n" for each in headers) + b"content-length: %d\r\n\r\n" % len(body) + body


def chunked(pieces: Sequence[bytes], *headers: bytes, trailer: bytes = b"") -> bytes:
    """An answer in chunks."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return (
        b"HTTP/1.1 200 OK\r\n"
        + b"".join(each + b"\r\n" for each in headers)
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + body
        + b"0\r\n"
        + trailer
        + b"\r\n"
    )
