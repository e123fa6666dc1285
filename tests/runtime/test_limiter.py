"""The limiter: so many at once, a short queue, a clear refusal, and no slot lost."""

import asyncio
import time
from types import SimpleNamespace

import pytest

from llm_mesh_runtime import limiter as limiter_module
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.limiter import Limiter


async def queued(limiter: Limiter, deadline: float | None = None) -> asyncio.Task[None]:
    """A call that waits for its turn."""
    before = limiter.waiting
    task = asyncio.create_task(limiter.enter(deadline))
    await asyncio.sleep(0)
    assert limiter.waiting == before + 1
    return task


async def test_slots_are_given_in_order_and_counted() -> None:
    limiter = Limiter(1, 2)
    assert limiter.enter_now()
    assert not limiter.enter_now()
    first, second = await queued(limiter), await queued(limiter)
    limiter.leave()
    await first
    assert not second.done()
    limiter.leave()
    await second
    limiter.leave()
    assert (limiter.active, limiter.waiting) == (0, 0)


async def test_beyond_the_queue_calls_are_refused_with_a_time_to_try_again() -> None:
    limiter = Limiter(1, 1)
    limiter.enter_now()
    waiting = await queued(limiter)
    with pytest.raises(MeshError) as raised:
        await limiter.enter(None)
    assert raised.value.reason_name == "OVERLOADED"
    assert raised.value.retry_after is not None
    waiting.cancel()


async def test_nobody_overtakes_the_queue() -> None:
    limiter = Limiter(1, 2)
    limiter.enter_now()
    waiting = await queued(limiter)
    limiter.leave()
    assert not limiter.enter_now()
    await waiting


async def test_a_call_leaves_the_queue_at_its_deadline() -> None:
    limiter = Limiter(1, 1)
    limiter.enter_now()
    with pytest.raises(MeshError) as raised:
        await limiter.enter(time.monotonic() + 0.02)
    assert raised.value.reason_name == "OVERLOADED"
    assert limiter.waiting == 0
    limiter.leave()
    assert limiter.active == 0


async def test_a_call_that_could_not_be_served_in_time_is_refused_at_once() -> None:
    limiter = Limiter(1, 100)
    limiter.enter_now()
    limiter._turn = 10.0
    began = time.monotonic()
    with pytest.raises(MeshError):
        await limiter.enter(began + 5)
    assert time.monotonic() - began < 4


async def test_the_first_turn_of_a_queue_is_measured_from_its_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(limiter_module, "time", SimpleNamespace(monotonic=lambda: now))
    limiter = Limiter(1, 100)
    limiter.enter_now()  # and nobody waits for a thousand seconds
    first = await queued(limiter)
    now += 1.0
    limiter.leave()
    await first
    in_time = await queued(limiter, now + 5)
    limiter.leave()
    await in_time


async def test_a_cancelled_waiter_loses_no_slot() -> None:
    limiter = Limiter(1, 2)
    limiter.enter_now()
    first, second = await queued(limiter), await queued(limiter)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    limiter.leave()
    await second
    limiter.leave()
    assert limiter.active == 0


async def test_a_slot_that_is_handed_over_in_the_moment_of_a_cancellation_goes_on() -> None:
    limiter = Limiter(1, 2)
    limiter.enter_now()
    first, second = await queued(limiter), await queued(limiter)
    limiter.leave()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    limiter.leave()
    assert (limiter.active, limiter.waiting) == (0, 0)


def test_a_limiter_without_slots_is_refused() -> None:
    with pytest.raises(ValueError, match="slot"):
        Limiter(0, 1)
