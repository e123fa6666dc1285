"""A closed-loop load generator: so many connections, each with one request in flight; latency from the first byte written to the last read.

python -m bench.closed_load HOST PORT REQUESTS_FILE CONNECTIONS SECONDS        prints one JSON object

The requests file has whole HTTP requests, each preceded by its length in a line of its own; connections take them in turn.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

_WARM_UP = 1.0


class Connection(asyncio.Protocol):
    """One client: sends a request, waits for the whole answer, sends the next."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = bytearray()
        self._size = -1
        self._first = 0.0
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a TCP transport
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server hung up."""
        self._load.lost(exc)

    def data_received(self, data: bytes) -> None:
        """Notes the first byte of content, and the end."""
        if not self._buffer:
            self._first = time.perf_counter()
        self._buffer += data
        if self._size < 0:
            self._read_head()
        whole = self._buffer.endswith(b"0\r\n\r\n") if self._size == 0 else 0 < self._size <= len(self._buffer)
        if whole:
            self._load.note(self._sent, self._first, ok=self._buffer.startswith(b"HTTP/1.1 200"))
            self._send()

    def _read_head(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end]).lower()
        at = head.find(b"content-length:")
        self._size = 0 if at < 0 else end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])

    def _send(self) -> None:
        self._buffer.clear()
        self._size = -1
        if self._load.over:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(next(self._load.requests))


class Load:
    """All connections, and what they measured."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.requests = requests
        self.over = False
        self.measuring = False
        self.latencies: list[float] = []
        self.first_bytes: list[float] = []
        self.failed = 0
        self.broken = ""

    def note(self, sent: float, first: float, *, ok: bool) -> None:
        """An answer is whole."""
        if self.measuring:
            self.latencies.append(time.perf_counter() - sent)
            self.first_bytes.append(first - sent)
            self.failed += not ok

    def lost(self, error: Exception | None) -> None:
        """A connection has ended."""
        if not self.over:
            self.broken = f"a connection was lost: {error}"


def requests_of(path: Path) -> list[bytes]:
    """The requests of a file."""
    data, requests = path.read_bytes(), []
    while data:
        length, _, data = data.partition(b"\n")
        requests.append(data[: int(length)])
        data = data[int(length) :]
    return requests


async def run(host: str, port: int, requests: list[bytes], connections: int, seconds: float) -> dict[str, float | int | str]:
    """Loads the server, and says how it did."""
    load = Load(itertools.cycle(requests))
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(load), host, port)
    await asyncio.sleep(_WARM_UP)
    print("measuring", flush=True)
    load.measuring, begun = True, time.perf_counter()
    await asyncio.sleep(seconds)
    load.measuring = False
    taken = time.perf_counter() - begun
    print("measured", flush=True)
    load.over = True
    found, first = sorted(load.latencies), sorted(load.first_bytes)
    if load.broken or not found:
        return {"error": load.broken or "no answer came"}
    return {
        "requests": len(found),
        "failed": load.failed,
        "per_second": len(found) / taken,
        **{f"p{share}_ms": found[min(len(found) - 1, len(found) * share // 100)] * 1e3 for share in (50, 95, 99)},
        "first_p50_ms": first[len(first) // 2] * 1e3,
        "first_p99_ms": first[min(len(first) - 1, len(first) * 99 // 100)] * 1e3,
    }


def main() -> None:
    """Reads the arguments, prints the result."""
    host, port, path, connections, seconds = sys.argv[1:6]
    result = uvloop.run(run(host, int(port), requests_of(Path(path)), int(connections), float(seconds)))
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
