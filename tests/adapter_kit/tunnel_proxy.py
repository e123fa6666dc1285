"""A proxy that tunnels by CONNECT, and notes what it was asked for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class TunnelProxy:
    """The proxy. `refuses` is its answer where it gives no tunnel."""

    def __init__(self, refuses: bytes = b"") -> None:
        self.heads: list[bytes] = []
        self._refuses = refuses
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            if self._refuses:
                writer.write(self._refuses)
            else:
                host, _, port = head.split(b" ")[1].decode().rpartition(":")
                there = await asyncio.open_connection("127.0.0.1" if host.endswith(".test") else host, int(port))
                self._open.add(there[1])
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await asyncio.gather(_copied(reader, there[1]), _copied(there[0], writer))
        writer.close()

    def stop(self) -> None:
        for writer in self._open:
            writer.transport.abort()


@contextlib.asynccontextmanager
async def tunnel_proxy(refuses: bytes = b"") -> AsyncIterator[tuple[TunnelProxy, str]]:
    """The proxy, and its address."""
    made = TunnelProxy(refuses)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    try:
        yield made, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        made.stop()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
