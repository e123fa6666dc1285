"""Code in a child process can at worst have its own call refused: it uses no more than it may, and others are served beside it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from llm_mesh_runtime.confined.children import ChildFaultError
from llm_mesh_runtime.confined.limits import LimitReachedError, ProcessLimits
from llm_mesh_runtime.confined.pool import Confined
from llm_mesh_runtime.confined.wire import packed, unpacked
from llm_mesh_runtime.errors import RuntimeFault

PROGRAM = "tests.runtime.confined_program:answer"
LIMITS = ProcessLimits(cpu=0.1, wall=2.0, memory=64 * 1024 * 1024)


@asynccontextmanager
async def confined(processes: int = 2, waiting: int = 8, limits: ProcessLimits = LIMITS) -> AsyncIterator[Confined]:
    pool = Confined(PROGRAM, limits, processes=processes, waiting=waiting)
    try:
        yield pool
    finally:
        await pool.close()


@pytest.fixture
async def pool() -> AsyncIterator[Confined]:
    async with confined() as made:
        yield made


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 (processes tell nobody that they end)
            await asyncio.sleep(0.005)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_child_answers_and_serves_again(pool: Confined) -> None:
    assert await pool.run("a", [b"echo", b"", b"x" * 3_000_000, b"\xff"]) == [b"", b"x" * 3_000_000, b"\xff"]
    pids = {(await pool.run("a", [b"pid"]))[0] for _ in range(5)}
    assert len(pids) == 1
    assert pids != {b"%d" % os.getpid()}


@pytest.mark.parametrize(
    ("call", "limit"),
    [
        ([b"spin"], "cpu"),
        ([b"eat", b"2000000000"], "memory"),
        ([b"recurse"], "depth"),
        ([b"signal", b"%d" % signal.SIGSEGV], "depth"),
        ([b"signal", b"%d" % signal.SIGABRT], "memory"),
        ([b"signal", b"%d" % signal.SIGKILL], "memory"),
        ([b"leave"], "memory"),
    ],
)
async def test_a_call_that_uses_too_much_is_refused_by_the_limit_and_the_next_is_served(
    pool: Confined, call: list[bytes], limit: str
) -> None:
    for _ in range(2):
        with pytest.raises(LimitReachedError) as refused:
            await pool.run("a", call)
        assert refused.value.limit == limit
        assert await pool.run("a", [b"echo", b"well"]) == [b"well"]


async def test_a_call_that_waits_for_ever_ends_by_the_clock() -> None:
    async with confined(limits=LIMITS._replace(wall=0.3)) as pool:
        with pytest.raises(LimitReachedError) as refused:
            await pool.run("a", [b"sleep", b"60"])
        assert refused.value.limit == "time"
        assert await pool.run("a", [b"echo", b"well"]) == [b"well"]


async def test_a_defect_is_no_limit(pool: Confined) -> None:
    with pytest.raises(ChildFaultError, match="ValueError: a defect"):
        await pool.run("a", [b"fail"])
    with pytest.raises(ChildFaultError):
        await pool.run("a", [b"lies"])
    assert await pool.run("a", [b"echo", b"well"]) == [b"well"]


async def test_a_child_has_no_files_no_environment_and_no_precedence(pool: Confined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MESH_SECRET", "not for children")
    async with confined() as other:
        environment, folder, niceness = await other.run("a", [b"environment"])
    assert b"LLM_MESH" not in environment
    assert (folder, int(niceness)) == (b"/", min(os.nice(0) + 10, 19))
    with pytest.raises(ChildFaultError, match="OSError"):
        await pool.run("a", [b"open", b"/etc/hostname"])
    assert await pool.run("a", [b"limits"]) == [b"0"]


async def test_one_owner_leaves_a_child_for_others() -> None:
    async with confined(processes=2, limits=LIMITS._replace(wall=20, cpu=5)) as pool:
        await pool.run("a", [b"echo"])
        held = [asyncio.create_task(pool.run("a", [b"sleep", b"1.0"])) for _ in range(4)]
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await pool.run("b", [b"echo"])
        assert time.monotonic() - began < 0.9, "b need not wait for a"
        assert not any(task.done() for task in held)
        for task in held:
            task.cancel()


async def test_who_has_taken_less_goes_first() -> None:
    async with confined(processes=1, limits=LIMITS._replace(wall=20, cpu=5), waiting=64) as pool:
        order: list[str] = []

        async def call(owner: str, seconds: bytes) -> None:
            await pool.run(owner, [b"sleep", seconds])
            order.append(owner)

        await call("greedy", b"0.2")
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(call("greedy", b"0.05"))
            await asyncio.sleep(0.01)
            group.create_task(call("modest", b"0.01"))
        assert order.index("modest") <= 2, order


async def test_too_much_that_waits_is_overloaded_and_leaves_others_alone() -> None:
    async with confined(processes=2, waiting=2, limits=LIMITS._replace(wall=20)) as pool:
        held = [asyncio.create_task(pool.run("a", [b"sleep", b"0.3"])) for _ in range(3)]
        await asyncio.sleep(0.05)
        with pytest.raises(RuntimeFault) as refused:
            await pool.run("a", [b"echo"])
        assert refused.value.reason_name == "OVERLOADED"
        assert await pool.run("b", [b"echo", b"well"]) == [b"well"]
        await asyncio.gather(*held)


async def test_who_gives_up_takes_no_place_and_spoils_no_child() -> None:
    async with confined(processes=1, limits=LIMITS._replace(wall=20)) as pool:
        first = asyncio.create_task(pool.run("a", [b"sleep", b"0.2"]))
        second = asyncio.create_task(pool.run("a", [b"echo", b"second"]))
        await asyncio.sleep(0.05)
        first.cancel()
        second.cancel()
        assert await pool.run("a", [b"echo", b"third"]) == [b"third"]


async def test_a_zygote_that_ends_is_replaced() -> None:
    async with confined() as pool:
        pid = int((await pool.run("a", [b"pid"]))[0])
        process = pool._zygote._process
        assert process is not None
        process.kill()
        await until(lambda: pool._zygote._control is None)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(LimitReachedError):
            await pool.run("a", [b"echo"])
        assert await pool.run("a", [b"echo", b"again"]) == [b"again"]


async def test_no_process_outlives_the_pool() -> None:
    async with confined() as pool:
        pid = int((await pool.run("a", [b"pid"]))[0])
        process = pool._zygote._process
        assert process is not None
        assert alive(pid)
    assert process.poll() is not None
    await until(lambda: not alive(pid))


async def test_the_loop_goes_on_beside_calls_that_spin(pool: Confined) -> None:
    await pool.run("a", [b"echo"])
    longest, spinning = 0.0, [asyncio.create_task(pool.run(owner, [b"spin"])) for owner in "abab"]
    while not all(task.done() for task in spinning):
        began = time.monotonic()
        await asyncio.sleep(0)
        longest = max(longest, time.monotonic() - began)
        await asyncio.sleep(0.001)
    assert longest < 0.25
    assert all(isinstance(task.exception(), LimitReachedError) for task in spinning)


@pytest.mark.parametrize("parts", [[], [b""], [b"a", b"", b"bc"]])
def test_frames_come_back_as_they_were(parts: list[bytes]) -> None:
    assert unpacked(packed(parts)[8:]) == parts


@pytest.mark.parametrize("frame", [b"", b"\xff\xff\xff\xff", b"\x01\0\0\0\x05\0\0\0ab", b"\0\0\0\0more", b"\x01\0\0\0\xff\xff\xff\xff"])
def test_what_is_no_frame_is_told(frame: bytes) -> None:
    with pytest.raises(ValueError, match="frame"):
        unpacked(frame)
