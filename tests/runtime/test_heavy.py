"""Long work is done off the event loop, one at a time and in turns, within a bound of bytes."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.heavy import HeavyWork

MOST = 1000


@pytest.fixture
async def heavy() -> AsyncIterator[HeavyWork]:
    made = HeavyWork(MOST)
    yield made
    made.close()


class Gate:
    """Work that goes on until it is let go."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.go = threading.Event()

    def __call__(self) -> str:
        self.began.set()
        assert self.go.wait(10)
        return threading.current_thread().name

    async def begun(self) -> None:
        assert await asyncio.to_thread(self.began.wait, 10)


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 (what is looked at tells nobody)
            await asyncio.sleep(0)


async def test_work_runs_in_a_thread_and_the_loop_goes_on(heavy: HeavyWork) -> None:
    gate = Gate()
    task = asyncio.create_task(heavy.run("a", 10, gate))
    await gate.begun()
    assert heavy.bytes == 10
    gate.go.set()
    assert (await task).startswith("medium work")
    await until(lambda: heavy.bytes == 0)


async def test_an_error_of_the_work_reaches_its_caller_and_frees_the_place(heavy: HeavyWork) -> None:
    def fails() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        await heavy.run("a", 10, fails)
    assert await heavy.run("a", 10, lambda: 1) == 1


async def test_tenants_take_turns(heavy: HeavyWork) -> None:
    gate, order = Gate(), list[str]()
    first = asyncio.create_task(heavy.run("a", 10, gate))
    await gate.begun()
    later = [asyncio.create_task(heavy.run(tenant, 10, partial(order.append, tenant))) for tenant in ("a", "a", "a", "b", "c")]
    await asyncio.sleep(0)
    gate.go.set()
    await asyncio.gather(first, *later)
    assert order == ["a", "b", "c", "a", "a"]


async def test_more_than_the_bound_is_refused_with_a_time(heavy: HeavyWork) -> None:
    gate = Gate()
    tasks = [asyncio.create_task(heavy.run(tenant, 500, gate)) for tenant in ("a", "b")]
    await gate.begun()
    await until(lambda: heavy.bytes == MOST)
    with pytest.raises(MeshError) as refusal:
        await heavy.run("c", 1, lambda: None)
    assert (refusal.value.reason_name, refusal.value.retry_after is not None) == ("OVERLOADED", True)
    gate.go.set()
    await asyncio.gather(*tasks)
    await heavy.run("c", 1, lambda: None)


async def test_one_tenant_has_half_at_most_so_that_others_find_room(heavy: HeavyWork) -> None:
    gate = Gate()
    task = asyncio.create_task(heavy.run("a", 400, gate))
    await gate.begun()
    with pytest.raises(MeshError):
        await heavy.run("a", 200, lambda: None)
    other = asyncio.create_task(heavy.run("b", 200, lambda: None))
    gate.go.set()
    await asyncio.gather(task, other)


async def test_one_work_of_any_size_is_done_where_nothing_else_is(heavy: HeavyWork) -> None:
    assert await heavy.run("a", 10 * MOST, lambda: 1) == 1


async def test_what_is_large_does_not_hold_up_what_is_medium() -> None:
    heavy, gate = HeavyWork(1 << 30), Gate()
    task = asyncio.create_task(heavy.run("a", 1 << 24, gate))
    await gate.begun()
    assert await heavy.run("b", 1 << 16, lambda: 1) == 1
    gate.go.set()
    await task
    heavy.close()


async def test_a_caller_who_gives_up_leaves_its_place_to_the_next(heavy: HeavyWork) -> None:
    gate = Gate()
    running = asyncio.create_task(heavy.run("a", 10, gate))
    await gate.begun()
    waiting = asyncio.create_task(heavy.run("b", 10, lambda: None))
    await until(lambda: heavy.bytes == 20)
    waiting.cancel()
    running.cancel()
    await asyncio.gather(running, waiting, return_exceptions=True)
    assert heavy.bytes == 10, "what has begun counts until its end"
    last = asyncio.create_task(heavy.run("c", 10, lambda: 1))
    gate.go.set()
    assert await last == 1
    await until(lambda: heavy.bytes == 0)


async def test_what_an_earlier_work_led_to_waits_and_is_never_refused(heavy: HeavyWork) -> None:
    gate = Gate()
    first = asyncio.create_task(heavy.run("a", MOST, gate))
    await gate.begun()
    with pytest.raises(MeshError):
        await heavy.run("a", MOST, lambda: "refused")
    second = asyncio.create_task(heavy.follow("a", MOST, lambda: "done"))
    await until(lambda: heavy.bytes == 2 * MOST)
    gate.go.set()
    await first
    assert await second == "done"
    await until(lambda: heavy.bytes == 0)
