"""The least that anything between client and provider costs: a proxy that passes bytes on, one connection for one.

python -m bench.passthrough PORT UPSTREAM_PORT
"""

from __future__ import annotations

import asyncio
import socket
import sys

import uvloop


class Pipe(asyncio.Protocol):
    """One side: what it gets goes to the other."""

    def __init__(self, other: Pipe | None = None) -> None:
        self.other = other
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected; a client's side fetches the provider's."""
        self.transport = transport  # type: ignore[assignment]  # a TCP transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """On to the other side."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (why does not matter)
        """The other side ends too."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


class Client(Pipe):
    """The side that accepts: what comes before the provider's side stands waits for it."""

    def __init__(self, upstream: int) -> None:
        super().__init__()
        self._upstream = upstream
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        super().connection_made(transport)
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    def data_received(self, data: bytes) -> None:
        """On to the other side, once it stands."""
        if self.other is None:
            self._early.append(data)
        else:
            super().data_received(data)

    async def _connect(self) -> None:
        try:
            _, other = await asyncio.get_running_loop().create_connection(lambda: Pipe(self), "127.0.0.1", self._upstream)
        except OSError:
            if self.transport is not None:
                self.transport.close()
            return
        self.other = other
        for data in self._early:
            super().data_received(data)


async def main() -> None:
    """Serves until killed."""
    port, upstream = int(sys.argv[1]), int(sys.argv[2])
    server = await asyncio.get_running_loop().create_server(lambda: Client(upstream), "127.0.0.1", port, backlog=4096)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
