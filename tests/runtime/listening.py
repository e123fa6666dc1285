"""A listener, and a client that is connected to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from llm_mesh_runtime.http.bounds import HttpBounds
from llm_mesh_runtime.http.listener import HttpListener
from llm_mesh_runtime.service import HeadFilter


@asynccontextmanager
async def connected(
    app: Any, door: HeadFilter | None = None, bounds: HttpBounds | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    listener = HttpListener("127.0.0.1:0", app, door=door, bounds=bounds)
    await listener.start()
    host, port = listener.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(10):
            yield reader, writer
    finally:
        writer.close()
        await listener.stop(1)
