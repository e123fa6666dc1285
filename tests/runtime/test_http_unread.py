"""Clients that take nothing of what they are sent: they are waited for, but not for ever, and never beyond the bounds of strangers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from llm_mesh_runtime.http import extensions
from llm_mesh_runtime.http import flow as http_flow
from llm_mesh_runtime.http import protocol as http_protocol
from llm_mesh_runtime.http.bounds import HttpBounds
from llm_mesh_runtime.http.listener import HttpListener
from llm_mesh_runtime.http.unauthenticated import StrangerLimits
from tests.runtime.listening import connected, listening, told_by

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
SIZE = 16 * 1024 * 1024
"""More than the kernel takes for a client."""


async def large(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % SIZE)]})
    await send({"type": "http.response.body", "body": b"x" * SIZE})


async def unfinished(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for more in (True, False):
        await send({"type": "http.response.body", "body": b"x" * SIZE, "more_body": more})


@asynccontextmanager
async def deaf(listener: HttpListener, request: bytes) -> AsyncIterator[None]:
    """A client that asks and takes nothing."""
    host, port = listener.address.split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(request)
        yield


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once a connection is lost."""
    return told_by(monkeypatch, "lost")


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once a client has not taken what it was sent."""
    return told_by(monkeypatch, "pause_writing")


@pytest.mark.parametrize("request_", [LAST, GET], ids=["last", "kept alive"])
async def test_who_takes_nothing_of_its_answer_is_hung_up_on(request_: bytes, lost: asyncio.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_flow, "UNREAD", 0.1)
    monkeypatch.setattr(http_flow.FlowControl.hang_up, "__defaults__", (0.1,))
    async with listening(large) as listener, deaf(listener, request_), asyncio.timeout(10):
        await lost.wait()


async def test_who_takes_nothing_of_a_stream_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_flow, "UNREAD", 0.1)
    left = asyncio.Event()

    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        scope["extensions"][extensions.GONE](left.set)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not left.is_set():
            await send({"type": "http.response.body", "body": b"x" * 10_000, "more_body": True})

    async with listening(streaming) as listener, deaf(listener, GET), asyncio.timeout(10):
        await left.wait()


async def test_who_takes_it_slowly_gets_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_flow, "UNREAD", 0.5)
    monkeypatch.setattr(http_flow.FlowControl.hang_up, "__defaults__", (0.5,))
    began = asyncio.get_running_loop().time()
    async with connected(large) as (reader, writer):
        writer.write(LAST)
        size = len(await reader.readuntil(b"\r\n\r\n")) * 0
        while part := await reader.read(SIZE // 50):
            size += len(part)
            await asyncio.sleep(0.015)
    assert size == SIZE
    assert asyncio.get_running_loop().time() - began > 0.5


async def test_a_stranger_who_is_crowded_out_goes_though_it_reads_nothing(
    full: asyncio.Event, lost: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "CROWDED_OUT", 60)  # it goes at once
    bounds = HttpBounds(strangers=StrangerLimits(connections_per_address=1))
    async with listening(unfinished, bounds=bounds) as listener, deaf(listener, GET), asyncio.timeout(10):
        await full.wait()
        async with deaf(listener, b""):
            await lost.wait()
        assert bounds.strangers.crowded_out == 1
