"""A listener, and a client that is connected to it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from llm_mesh_runtime.http.bounds import HttpBounds
from llm_mesh_runtime.http.flow import FlowControl
from llm_mesh_runtime.http.listener import HttpListener
from llm_mesh_runtime.http.tls import HttpTls
from llm_mesh_runtime.service import HeadFilter

NAME = "edge.llm-mesh"
"""What certificates of tests call the listener."""


@asynccontextmanager
async def connected(
    app: Any, door: HeadFilter | None = None, bounds: HttpBounds | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with listening(app, door, bounds) as listener, client_of(listener) as streams, asyncio.timeout(10):
        yield streams


@asynccontextmanager
async def listening(
    app: Any, door: HeadFilter | None = None, bounds: HttpBounds | None = None, tls: HttpTls | None = None
) -> AsyncIterator[HttpListener]:
    listener = HttpListener("127.0.0.1:0", app, door=door, bounds=bounds, tls=tls)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop(1)


@asynccontextmanager
async def client_of(
    listener: HttpListener, trusting: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, port = listener.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=trusting, server_hostname=NAME if trusting else None)
    try:
        yield reader, writer
    finally:
        writer.close()


def told_by(monkeypatch: pytest.MonkeyPatch, name: str) -> asyncio.Event:
    """Set once a connection's flow control is told so."""
    event, method = asyncio.Event(), getattr(FlowControl, name)

    def telling(flow: FlowControl) -> None:
        method(flow)
        event.set()

    monkeypatch.setattr(FlowControl, name, telling)
    return event
