"""The memory that vectors of one endpoint have is bounded, given to who came first, and given back however a request ends."""

from __future__ import annotations

import asyncio

import pytest

from llm_mesh_adapter_kit.vector_memory import VectorMemory


async def hold(memory: VectorMemory, endpoint: str, size: int, until: asyncio.Event, order: list[int]) -> None:
    async with memory.share(endpoint) as share:
        await share.take(size)
        order.append(size)
        await until.wait()


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_answers_wait_for_room_in_their_order() -> None:
    memory, end = VectorMemory(100), asyncio.Event()
    order: list[int] = []
    tasks = [asyncio.create_task(hold(memory, "a", size, end, order)) for size in (60, 50, 10, 40)]
    await turns()
    assert (order, memory.held("a")) == ([60], 60), "10 would fit, but came after 50"
    end.set()
    await asyncio.gather(*tasks)
    assert (order, memory.held("a")) == ([60, 50, 10, 40], 0)


async def test_each_endpoint_has_its_own() -> None:
    memory, end = VectorMemory(100), asyncio.Event()
    order: list[int] = []
    tasks = [asyncio.create_task(hold(memory, endpoint, 100, end, order)) for endpoint in ("a", "b")]
    await turns()
    assert order == [100, 100]
    end.set()
    await asyncio.gather(*tasks)


async def test_who_gives_up_while_waiting_leaves_its_place() -> None:
    memory, end = VectorMemory(100), asyncio.Event()
    order: list[int] = []
    async with memory.share("a") as share:
        await share.take(100)
        second, third = (asyncio.create_task(hold(memory, "a", size, end, order)) for size in (90, 80))
        await turns()
        second.cancel()
        await turns()
    await turns()
    assert (order, memory.held("a")) == ([80], 80)
    end.set()
    await asyncio.gather(second, third, return_exceptions=True)
    assert memory.held("a") == 0


async def test_who_waits_behind_one_that_gives_up_may_fit() -> None:
    memory, end = VectorMemory(100), asyncio.Event()
    order: list[int] = []
    tasks = [asyncio.create_task(hold(memory, "a", size, end, order)) for size in (60, 90, 40)]
    await turns()
    tasks[1].cancel()
    await turns()
    assert order == [60, 40]
    end.set()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_room_that_was_given_to_one_who_is_gone_is_given_on() -> None:
    memory, end = VectorMemory(100), asyncio.Event()
    order: list[int] = []
    async with memory.share("a") as share:
        await share.take(100)
        second, third = (asyncio.create_task(hold(memory, "a", size, end, order)) for size in (90, 80))
        await turns()
    second.cancel()  # it has its room now, and has not run since
    await turns()
    assert (order, memory.held("a")) == ([80], 80)
    end.set()
    await asyncio.gather(second, third, return_exceptions=True)


async def test_a_failure_gives_its_room_back() -> None:
    memory = VectorMemory(100)

    async def failing() -> None:
        async with memory.share("a") as share:
            await share.take(100)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()
    assert memory.held("a") == 0
