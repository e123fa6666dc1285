"""The life of a library's process: bounds first, then the guard, then the library, then its calls."""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import threading
from typing import Any

import orjson

from llm_mesh_adapter_longtail.child.bounds import bound
from llm_mesh_adapter_longtail.child.egress import Egress, reachable
from llm_mesh_adapter_longtail.child.port import Library
from llm_mesh_adapter_longtail.child.serving import CallServer
from llm_mesh_adapter_longtail.wire import FrameKind, packed


def run(descriptor: int, module: str, bounds: str) -> None:
    """Serve until the adapter closes the socket."""
    limits: dict[str, Any] = orjson.loads(bounds)
    channel = socket.socket(fileno=descriptor)
    bound(limits["memory"], limits["files"])
    loop = asyncio.new_event_loop()
    reports = _RefusalReports(loop)
    Egress(reachable(limits["endpoints"]), reports.refused).install()
    library: Library = importlib.import_module(module).loaded_library()
    loop.run_until_complete(_serve(channel, library, reports))


class _RefusalReports:
    """Reports to the adapter what the guard refused, also while the library is still loading, and from any of its threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._early: list[bytes] = []
        self._writer: asyncio.StreamWriter | None = None

    def refused(self, what: str) -> None:
        frame = packed(FrameKind.REFUSED, 0, what.encode("utf-8", "replace")[:200])
        with self._lock:
            if self._writer is None:
                self._early.append(frame)
            else:
                self._loop.call_soon_threadsafe(self._writer.write, frame)

    def begin(self, writer: asyncio.StreamWriter) -> None:
        with self._lock:
            self._writer = writer
            for frame in self._early:
                writer.write(frame)


async def _serve(channel: socket.socket, library: Library, reports: _RefusalReports) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=channel, limit=1024 * 1024)
    serving = CallServer(library, reader, writer)
    reports.begin(writer)
    try:
        await serving.run()
    finally:
        os._exit(1)
