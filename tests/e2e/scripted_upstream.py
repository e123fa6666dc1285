"""A provider that answers every request with the bytes of a script, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_LARGEST_HEAD = 1 << 20


class ScriptedUpstream:
    """Serves on a port of loopback, in a thread of its own."""

    def __init__(self) -> None:
        self.script: Mapping[str, Any] = {}
        self.failures: list[Mapping[str, Any]] = []
        """Scripts that come first, each once. One with `reset` breaks the connection off instead of answering."""
        self.received: list[Any] = []
        self.port = 0
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    def serve(self) -> None:
        """Serve until `end`."""
        asyncio.run(self._serve())

    def await_ready(self) -> None:
        """Wait until the port accepts."""
        assert self._ready.wait(10)

    def end(self) -> None:
        """Stop to serve."""
        assert self._loop is not None
        assert self._ended is not None
        self._loop.call_soon_threadsafe(self._ended.set)

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._answer_all, "127.0.0.1", 0, limit=_LARGEST_HEAD)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ended.wait()
        server.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        lengths = [int(line.partition(":")[2]) for line in head.split("\r\n") if line.startswith("content-length:")]
        body = await reader.readexactly(lengths[0] if lengths else 0)
        self.received.append(json.loads(body or b"null"))
        script = self.failures.pop(0) if self.failures else self.script
        if script.get("reset"):
            writer.transport.abort()
            raise ConnectionResetError
        texts = script.get("pieces") or [json.dumps(script["json"])]
        kind = script.get("type", "text/event-stream" if "pieces" in script else "application/json")
        status = script.get("status", 200)
        more = "".join(f"{name}: {value}\r\n" for name, value in script.get("headers", {}).items())
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n{more}transfer-encoding: chunked\r\n\r\n".encode())
        for text in texts:
            piece = text.encode("utf-8", "surrogatepass")
            writer.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
            await writer.drain()
            await asyncio.sleep(script.get("gap", 0))
        writer.write(b"0\r\n\r\n")
        await writer.drain()


@contextmanager
def scripted_upstream() -> Iterator[ScriptedUpstream]:
    """Start it, and end it."""
    upstream = ScriptedUpstream()
    thread = threading.Thread(target=upstream.serve, daemon=True)
    thread.start()
    upstream.await_ready()
    try:
        yield upstream
    finally:
        upstream.end()
        thread.join(10)
