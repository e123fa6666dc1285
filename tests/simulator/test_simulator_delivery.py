"""A client that leaves at the two moments at which no write tells of it."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.provider.connection import AsgiRequest
from llm_mesh_simulator.provider.delivery import deliver
from llm_mesh_simulator.provider.reply import EVENTS, Reply, Stream


class Exchange:
    """A server's side of a request as the listener keeps it; `leaves_at` is the write, the end among them, at which the client leaves."""

    def __init__(self, leaves_at: int, *, suddenly: bool) -> None:
        self.transport = self
        self.writes: list[bytes] = []
        self._leaves_at = leaves_at
        self._suddenly = suddenly
        self._closing = False
        self._left = asyncio.Event()
        self._writable = asyncio.Event()

    def is_closing(self) -> bool:
        return self._closing

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            return
        self.writes.append(message["body"])
        if len(self.writes) != self._leaves_at:
            return
        asyncio.get_running_loop().call_soon(self._lost)
        if self._suddenly:
            self._closing = True
        else:
            await self._writable.wait()

    def _lost(self) -> None:
        self._closing = True
        self._left.set()
        self._writable.set()

    async def receive(self) -> MutableMapping[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}


@pytest.mark.parametrize(("leaves_at", "suddenly"), [(6, False), (3, False), (3, True), (2, True)])
async def test_a_client_that_leaves_is_gone_whatever_is_still_to_be_sent(leaves_at: int, *, suddenly: bool) -> None:
    reply = Reply(200, [EVENTS], Stream([], [b"x" * 65536] * 4, [], b"", b""), tokens=4)
    exchange = Exchange(leaves_at, suddenly=suddenly)
    outcome = await deliver(AsgiRequest(exchange.receive, exchange.send), reply, Behaviour())
    assert outcome.kind == "client_gone"
    assert len(exchange.writes) == leaves_at


async def test_an_answer_that_is_read_to_its_end_is_completed() -> None:
    reply = Reply(200, [EVENTS], Stream([], [b"x" * 65536] * 4, [], b"", b""), tokens=4)
    exchange = Exchange(0, suddenly=False)
    outcome = await deliver(AsgiRequest(exchange.receive, exchange.send), reply, Behaviour())
    assert (outcome.kind, outcome.tokens) == ("completed", 4)
    assert b"".join(exchange.writes) == b"x" * 65536 * 4
