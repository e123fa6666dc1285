"""A server that speaks HTTP/2 over TLS, as well or as badly as a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import h2.config
import h2.connection
import h2.events

OK = [(":status", "200"), ("content-type", "text/plain")]


class Http2Visit:
    """One connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.left = asyncio.Event()
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.headers: list[dict[str, str]] = []

    async def request(self) -> int:
        """The number of the next stream whose request has come whole; 0 where the client has left."""
        while True:
            self.flush()
            data = await self.reader.read(65536)
            if not data:
                self.left.set()
                return 0
            for event in self.h2.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self.headers.append({str(name): str(value) for name, value in event.headers or ()})
                elif isinstance(event, h2.events.DataReceived):
                    self.h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
                elif isinstance(event, h2.events.StreamEnded):
                    return event.stream_id or 0

    def flush(self) -> None:
        self.writer.write(self.h2.data_to_send())

    def answer(self, stream: int, body: bytes) -> None:
        self.h2.send_headers(stream, OK)
        self.h2.send_data(stream, body, end_stream=True)
        self.flush()


Http2Handler = Callable[[Http2Visit], Awaitable[None]]


@contextlib.asynccontextmanager
async def http2_provider(handler: Http2Handler, certificate: Path) -> AsyncIterator[tuple[list[Http2Visit], int]]:
    """Who has come to the server, and its port."""
    visits: list[Http2Visit] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = Http2Visit(reader, writer)
        visits.append(visit)
        with contextlib.suppress(ConnectionError):
            await handler(visit)
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2"])
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield visits, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for visit in visits:
            visit.writer.transport.abort()
