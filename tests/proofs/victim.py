"""A tenant that wants no more than to be served: chats at a fixed rate, and a few paced streams beside them, each of them timed.

It runs in a process of its own. Chats are due at fixed times, whether or not the ones before were answered, and their latency counts
from then.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from tests.proofs.load import chat_body

RATE = 40
"""Chats a second."""
STREAMS = 4
PATIENCE = 30.0
_END = b"data: [DONE]"
_CHUNK = 65_536
_IDLE = 1.0
"""Seconds after which a connection is not used again: the mesh closes those that idle, and may be about to."""

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Served:
    """What became of the tenant's requests, in seconds."""

    latencies: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    """Between two pieces of a stream."""
    failed: list[str] = field(default_factory=list)
    cpu: float = 0.0
    """Seconds of the processor that asking took."""

    def __add__(self, other: Served) -> Served:
        return Served(self.latencies + other.latencies, self.gaps + other.gaps, self.failed + other.failed, self.cpu + other.cpu)


@dataclass(frozen=True)
class Tenant:
    """Who asks, and whom."""

    address: str
    key: str
    chats: str
    """The model of the chats."""
    streams: str
    """The model of the streams."""

    def request(self, model: str, *, stream: bool) -> bytes:
        """The bytes of one request."""
        body = json.dumps(chat_body(model, "hello", stream=stream, **({} if stream else {"max_tokens": 1}))).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: {self.address}\r\nauthorization: Bearer {self.key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n{'connection: close' if stream else 'accept: */*'}\r\n\r\n"
        )
        return head.encode() + body


class Victim:
    """The tenant's process, told what to do over a pipe."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def begin(self, seconds: float) -> None:
        """Ask for so long, and return at once."""
        self._pipe.send(seconds)

    def end(self) -> Served:
        """What became of it, once it is over."""
        served: Served = self._pipe.recv()
        return served


@contextmanager
def victim(tenant: Tenant) -> Iterator[Victim]:
    """The tenant in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(tenant, there), daemon=True)
    process.start()
    try:
        yield Victim(here)
    finally:
        here.send(None)
        process.join(PATIENCE)
        process.kill()


def _work(tenant: Tenant, pipe: Connection) -> None:
    asyncio.run(_Asking(tenant).serve(pipe))


class _Asking:
    """Asks, in the tenant's process."""

    def __init__(self, tenant: Tenant) -> None:
        self._address = tenant.address
        self._chat = tenant.request(tenant.chats, stream=False)
        self._stream = tenant.request(tenant.streams, stream=True)
        self._idle: list[tuple[_Connection, float]] = []
        self._served = Served()

    async def serve(self, pipe: Connection) -> None:
        """Do what the pipe says, until it says nothing more."""
        while (seconds := await asyncio.to_thread(pipe.recv)) is not None:
            self._served = Served()
            begun = time.process_time()
            await self._ask(seconds)
            self._served.cpu = time.process_time() - begun
            pipe.send(self._served)

    async def _ask(self, seconds: float) -> None:
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(STREAMS):
                tasks.create_task(self._streams(begun + seconds))
            for number in range(int(seconds * RATE)):
                due = begun + number / RATE
                if (pause := due - time.perf_counter()) > 0:
                    await asyncio.sleep(pause)
                tasks.create_task(self._noted(self._one(due)))

    async def _noted(self, work: asyncio.Future[None] | object) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await work  # type: ignore[misc]
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self._served.failed.append(f"{type(error).__name__}: {str(error)[:200]}")

    async def _one(self, due: float) -> None:
        reader, writer = self._reused() or await self._connected()
        writer.write(self._chat)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(size)
        self._served.latencies.append(time.perf_counter() - due)
        if not head.startswith(b"http/1.1 200"):
            self._served.failed.append(f"{head[9:12].decode()} {body[:200]!r}")
        self._idle.append(((reader, writer), time.perf_counter()))

    def _reused(self) -> _Connection | None:
        """The connection that was used last, unless that is too long ago."""
        if not self._idle:
            return None
        connection, since = self._idle.pop()
        if time.perf_counter() - since < _IDLE:
            return connection
        for old, _ in [*self._idle, (connection, since)]:
            old[1].close()
        self._idle.clear()
        return None

    async def _streams(self, until: float) -> None:
        while time.perf_counter() < until:
            await self._noted(self._streamed())

    async def _streamed(self) -> None:
        reader, writer = await self._connected()
        try:
            writer.write(self._stream)
            piece = last = await reader.read(_CHUNK)
            first, at = piece, time.perf_counter()
            while piece := await reader.read(_CHUNK):
                now = time.perf_counter()
                self._served.gaps.append(now - at)
                last, at = last[-len(_END) :] + piece, now
            if not first.startswith(b"HTTP/1.1 200") or _END not in last:
                self._served.failed.append(f"a stream: {first[:200]!r} … {last[-200:]!r}")
        finally:
            writer.close()

    async def _connected(self) -> _Connection:
        host, _, port = self._address.rpartition(":")
        return await asyncio.open_connection(host, int(port))
