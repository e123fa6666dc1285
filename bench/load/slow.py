"""Clients that read one byte a second: `python -m bench.load.slow HOST PORT REQUESTS CLIENTS` until its input ends.

Their sockets take as little as the kernel allows, so that what is not read stays with whom it came from. Who is refused comes again when
it was told to, as an SDK does. One line of JSON is printed once all have an answer, or patience ends, and another at the end.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.load.spec import read_requests

_STATUS = len(b"HTTP/1.1 200")
_TIMEOUT = 90.0
_REFUSED = 503
_RETRY_AFTER = b"\r\nretry-after-ms: "


@dataclass(slots=True)
class Slow:
    """Clients that read their streamed answers slowly, and how these ended."""

    host: str
    port: int
    answers: Counter[str] = field(default_factory=Counter)
    """By status, or by what went wrong."""
    ended: int = 0

    async def run(self, requests: list[bytes], count: int) -> None:
        """From the first connection until the input ends."""
        begun = time.monotonic()
        first = [asyncio.create_task(self._answered(requests[number % len(requests)])) for number in range(count)]
        _, waiting = await asyncio.wait(first, timeout=_TIMEOUT)
        answered = [client for task in first if task not in waiting and (client := task.result()) is not None]
        for task in waiting:
            task.cancel()
        taken = time.monotonic() - begun
        print(json.dumps({"answered": len(answered), "waiting": len(waiting), "answers": self.answers, "seconds": taken}), flush=True)
        reading = [asyncio.create_task(self._read(client)) for client in answered]
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for task in reading:
            task.cancel()
        print(json.dumps({"ended": self.ended}), flush=True)

    async def _answered(self, request: bytes) -> socket.socket | None:
        """A client that has its 200; None where it gets something else."""
        loop = asyncio.get_running_loop()
        while True:
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            client.setblocking(False)
            try:
                await loop.sock_connect(client, (self.host, self.port))
                await loop.sock_sendall(client, request)
                status = await _exactly(client, _STATUS)
                self.answers[status[9:].decode()] += 1
                if int(status[9:]) != _REFUSED:
                    return client if status.endswith(b" 200") else None
                pause = await _retry_after(client)
            except OSError as error:
                self.answers[error.strerror or type(error).__name__] += 1
                return None
            client.close()
            await asyncio.sleep(pause)

    async def _read(self, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1)
            if not await loop.sock_recv(client, 1):
                self.ended += 1
                return


async def _exactly(client: socket.socket, count: int) -> bytes:
    loop, got = asyncio.get_running_loop(), b""
    while len(got) < count:
        piece = await loop.sock_recv(client, count - len(got))
        if not piece:
            raise ConnectionResetError(None, "hung up")
        got += piece
    return got


async def _retry_after(client: socket.socket) -> float:
    """Seconds, from a head that is read byte by byte. SDKs prefer the header in milliseconds too."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += await _exactly(client, 1)
    _, _, after = head.lower().partition(_RETRY_AFTER)
    return float(after.split(b"\r\n", 1)[0] or 1000) / 1000


def main() -> None:
    """Connects all, says how many were answered, and reads slowly."""
    host, port, path, count = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    asyncio.run(Slow(host, port).run(read_requests(path), count))


if __name__ == "__main__":
    main()
