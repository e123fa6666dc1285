"""A provider in the OpenAI dialect that is fast enough not to matter: prebuilt answers, nothing parsed but the end of the request.

python -m bench.upstream PORT

`GET /stats` tells requests, open connections, and connections that broke off before their answer's end.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from dataclasses import asdict, dataclass

import orjson
import uvloop

from bench import upstream_answers as answers
from bench.behaviour import Behaviour, behaviour_of

_HEAD_END = b"\r\n\r\n"
_HUNG = b"POST /hung/"
"""The path of an endpoint that accepts and never answers."""


@dataclass(slots=True)
class Counts:
    """What the upstream saw."""

    requests: int = 0
    open: int = 0
    broken: int = 0


class Upstream(asyncio.Protocol):
    """Answers each request on a connection once it is whole; one at a time, as clients without pipelining ask."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._buffer = b""
        self._needed = 0
        self._timer: asyncio.TimerHandle | None = None
        self._answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a TCP transport
        # Without it the second small write of a stream waits for the client's delayed acknowledgement of the first: 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop = asyncio.get_running_loop()
        self._counts.open += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (why does not matter)
        """The client has gone: nothing is sent any more."""
        self._counts.open -= 1
        self._counts.broken += self._answering
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Answers every request that is whole."""
        self._buffer = self._buffer + data if self._buffer else data
        while len(self._buffer) >= self._needed and (request := self._cut()) is not None:
            self._answer(request)

    def _cut(self) -> bytes | None:
        if not self._needed:
            end = self._buffer.find(_HEAD_END)
            if end < 0:
                return None
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            self._needed = end + 4 + (int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0)
            if len(self._buffer) < self._needed:
                return None
        request, self._buffer, self._needed = self._buffer[: self._needed], self._buffer[self._needed :], 0
        return request

    def _answer(self, request: bytes) -> None:
        if request.startswith(b"GET "):
            self._transport.write(answers.framed(200, orjson.dumps(asdict(self._counts))))
            return
        self._counts.requests += 1
        requested = behaviour_of(request)
        if requested.hang or request.startswith(_HUNG):
            self._answering = True
        elif requested.delay:
            self._answering = True
            self._timer = self._loop.call_later(requested.delay / 1000, self._begin, request, requested)
        else:
            self._begin(request, requested)

    def _begin(self, request: bytes, requested: Behaviour) -> None:
        self._answering = False
        if requested.status != 200:
            self._transport.write(answers.failure(requested.status))
        elif b'"stream":true' not in request and b'"stream": true' not in request:
            self._transport.write(answers.whole(requested.words, tool=bool(requested.tool) and b'"role":"tool"' not in request))
        elif requested.pace or requested.stall:
            self._answering = True
            head, *parts = answers.stream_parts(requested.chunks)
            self._transport.write(head)
            if requested.stall:
                parts = parts[: requested.stall]
            self._pour(parts, 0, requested, self._loop.time())
        else:
            self._transport.write(answers.stream(requested.chunks))

    def _pour(self, parts: list[bytes], number: int, requested: Behaviour, begun: float) -> None:
        self._transport.write(parts[number])
        if number + 1 < len(parts):
            due = begun + (number + 1) * requested.pace / 1000  # of the beginning, so that lateness does not add up
            self._timer = self._loop.call_at(due, self._pour, parts, number + 1, requested, begun)
        elif not requested.stall:
            self._answering = False


async def main() -> None:
    """Serves until killed."""
    counts = Counts()
    server = await asyncio.get_running_loop().create_server(lambda: Upstream(counts), "127.0.0.1", int(sys.argv[1]), backlog=4096)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
