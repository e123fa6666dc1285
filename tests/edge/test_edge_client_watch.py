"""Work ends with its client under any server, and patience ends what takes too long and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llm_mesh_edge.http.client_watch import ClientWatch
from llm_mesh_edge.http.exchange import GONE, HttpExchange
from llm_mesh_edge.http.time_limit import TimeLimit
from llm_mesh_runtime.http import extensions

LEFT = {"type": "http.disconnect"}


def exchange(extensions: dict[str, Any] | None = None, left: asyncio.Event | None = None) -> HttpExchange:
    async def receive() -> Any:
        await (left or asyncio.Event()).wait()
        return LEFT

    async def send(_: object) -> None:
        return

    scope = {"headers": [], "method": "POST", "path": "/"} | ({"extensions": extensions} if extensions is not None else {})
    return HttpExchange(scope, receive, send)


def test_the_edge_knows_the_listeners_extension_by_its_name() -> None:
    assert GONE == extensions.GONE


async def work(asked: HttpExchange, begun: asyncio.Event) -> str:
    with ClientWatch(asked):
        begun.set()
        await asyncio.Event().wait()
    return "swallowed"


async def test_a_client_that_leaves_a_server_without_the_extension_ends_the_work() -> None:
    begun, left = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(work(exchange(left=left), begun))
    await begun.wait()
    left.set()
    async with asyncio.timeout(5):
        assert await task == "swallowed"
    assert task.cancelling() == 0


async def test_a_call_back_ends_the_work() -> None:
    begun = asyncio.Event()
    callbacks: list[Any] = []
    task = asyncio.create_task(work(exchange({GONE: callbacks.append}), begun))
    await begun.wait()
    callbacks[0]()
    async with asyncio.timeout(5):
        assert await task == "swallowed"
    assert task.cancelling() == 0


async def test_a_call_back_after_the_work_ends_nothing() -> None:
    callbacks: list[Any] = []
    with ClientWatch(exchange({GONE: callbacks.append})):
        pass
    callbacks[0]()
    await asyncio.sleep(0)


async def test_whoever_else_cancels_the_work_is_not_swallowed() -> None:
    begun = asyncio.Event()
    task = asyncio.create_task(work(exchange({GONE: lambda _: None}), begun))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_patience_ends_what_takes_too_long_as_a_timeout() -> None:
    with pytest.raises(TimeoutError), TimeLimit(0.01):
        await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_patience_does_not_turn_a_cancellation_into_a_timeout() -> None:
    begun = asyncio.Event()

    async def waiting() -> None:
        with TimeLimit(60):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(waiting())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_that_comes_with_the_end_of_patience_wins() -> None:
    begun = asyncio.Event()

    async def waiting() -> None:
        with TimeLimit(60) as patience:
            begun.set()
            asyncio.get_running_loop().call_soon(patience._end)
            await asyncio.Event().wait()

    task = asyncio.create_task(waiting())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
