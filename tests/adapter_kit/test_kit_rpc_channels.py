"""A channel that stands no longer is replaced, and what is under way on it ends by itself."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.http import HttpAnswer, HttpRequest, UnreachableError
from llm_mesh_adapter_kit.rpc.client import RpcClient
from llm_mesh_adapter_kit.rpc.framing import framed
from llm_mesh_adapter_kit.rpc.settings import rpc_transport
from llm_mesh_adapter_kit.transport.settings import TransportSettings

PATH = "/engine.Engine/Generate"


async def send(client: RpcClient, origin: str) -> HttpAnswer:
    return await client.send(HttpRequest(origin + PATH, {}, framed(b"one"), connect_timeout=5.0, deadline=time.monotonic() + 20))


async def test_a_server_that_stops_ends_no_call_that_is_under_way() -> None:
    go_on = asyncio.Event()

    async def answer(request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"first"
        await go_on.wait()
        yield b"last"

    server = grpc.aio.server()
    handlers: dict[str, Any] = {"Generate": grpc.unary_stream_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("engine.Engine", handlers),))
    origin = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    client = RpcClient(origin, AddressRule(local=True), rpc_transport(TransportSettings()), lambda _path, _message: None)
    under_way = await send(client, origin)
    assert await under_way.read(math.inf) == framed(b"first")
    stopping = asyncio.create_task(server.stop(20))
    channel: Any = client._channel
    async with asyncio.timeout(20):
        while (state := channel.get_state()) is grpc.ChannelConnectivity.READY:
            await channel.wait_for_state_change(state)
    with pytest.raises(UnreachableError):
        await send(client, origin)
    go_on.set()
    assert await under_way.read(time.monotonic() + 20) == framed(b"last")
    assert await under_way.read(time.monotonic() + 20) == b""
    await client.close()
    await stopping
