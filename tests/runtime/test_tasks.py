"""Background work: owned, awaited, and finished where it must be."""

import asyncio

import pytest

from llm_mesh_runtime import context as call
from llm_mesh_runtime.tasks import TaskSet, shielded


async def test_closing_cancels_what_runs_and_waits_for_its_end() -> None:
    tasks, ended = TaskSet(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.set()

    tasks.spawn(work(), name="work")
    await asyncio.sleep(0)
    await tasks.close()
    assert ended.is_set()
    assert len(tasks) == 0


async def test_a_background_task_is_not_bound_by_the_request_that_began_it() -> None:
    tasks = TaskSet()

    async def remaining() -> float | None:
        return call.deadline_remaining()

    with call.scope(timeout=5.0):
        task = tasks.spawn(remaining(), name="work")
        assert call.deadline_remaining() is not None
    assert await task is None


async def test_shielded_work_ends_although_its_caller_is_cancelled() -> None:
    begun, go, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> str:
        begun.set()
        await go.wait()
        done.set()
        return "done"

    caller = asyncio.create_task(shielded(work()))
    await begun.wait()
    for _ in range(2):
        caller.cancel()
        await asyncio.sleep(0)
    assert not caller.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert done.is_set()


async def test_shielded_work_keeps_the_request_id_and_drops_the_deadline() -> None:
    async def seen() -> tuple[str, float | None]:
        return call.request_id(), call.deadline_remaining()

    with call.scope(request_id="request-7", timeout=5.0):
        assert await shielded(seen()) == ("request-7", None)
        assert call.deadline_remaining() is not None


async def test_shielded_work_passes_its_failure_on() -> None:
    async def work() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await shielded(work())
