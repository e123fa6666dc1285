"""When text goes to policy: at once while no verdict is owed, gathered while one is, by the clock at last. Time stands still here."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import TypeVar

import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2, policy_pb2
from llm_mesh_gateway.domain.findings import Findings
from llm_mesh_gateway.domain.ports import Piece
from llm_mesh_gateway.domain.transforms.chain import AnswerContext
from llm_mesh_gateway.domain.transforms.screening import ScreeningTransform
from tests.gateway.fakes import choice_finished, passed, text

T = TypeVar("T")


class StandingClock(asyncio.SelectorEventLoop):
    """A loop whose timers fire when the test says so, however slow the machine is."""

    now = 0.0

    def time(self) -> float:
        return self.now


def timeless(case: Callable[..., Coroutine[object, object, None]]) -> Callable[..., None]:
    """Runs a case on such a loop."""

    @functools.wraps(case)
    def run(**given: object) -> None:
        with asyncio.Runner(loop_factory=StandingClock) as runner:
            runner.run(case(**given))

    return run


class Session:
    """Policy's side of one stream: the test reads what came, and answers when it likes."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[policy_pb2.ScreenText] = asyncio.Queue()
        self.answers: asyncio.Queue[policy_pb2.ScreenStreamResponse | None] = asyncio.Queue()
        self.done = asyncio.Event()

    async def write(self, piece: policy_pb2.ScreenText) -> None:
        self.pieces.put_nowait(piece)

    async def done_writing(self) -> None:
        self.done.set()

    async def read(self) -> policy_pb2.ScreenStreamResponse | None:
        return await self.answers.get()

    def cancel(self) -> None:
        return

    def passes(self, piece: policy_pb2.ScreenText) -> None:
        self.answers.put_nowait(passed(piece))


class Obliging:
    """A policy whose only stream is the session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def screen(self, admission: object, state: bytes) -> Session:
        del admission, state
        return self._session


class Stream:
    """An answer on its way through screening."""

    def __init__(self) -> None:
        self.policy = Session()
        self.seen: asyncio.Queue[str] = asyncio.Queue()
        transform = ScreeningTransform(Obliging(self.policy))  # type: ignore[arg-type]  # of a policy, what is asked
        context = AnswerContext(resources_pb2.Sealed(), Findings())
        self.screening = transform.begin(admission_pb2.Obligation(), context, self._release)

    async def _release(self, piece: Piece) -> None:
        for event in piece.events:
            if event.HasField("text"):
                self.seen.put_nowait(event.text.text)


def saying(*words: str) -> Piece:
    return Piece(events=[text(word) for word in words])


async def turned() -> None:
    """Everything that can happen without the clock has happened."""
    loop = asyncio.get_running_loop()
    for _ in range(20):
        step = loop.create_future()
        loop.call_soon(step.set_result, None)
        await step


async def come(queue: asyncio.Queue[T]) -> T:
    """What is there without the clock."""
    await turned()
    return queue.get_nowait()


@timeless
async def test_a_slow_stream_waits_for_nothing() -> None:
    stream = Stream()
    async with stream.screening as accept:
        for word in ("one ", "two ", "three "):
            await accept(saying(word))
            piece = await come(stream.policy.pieces)
            assert piece.text == word
            stream.policy.passes(piece)
            assert await come(stream.seen) == word


@timeless
async def test_what_comes_while_a_verdict_is_owed_goes_together_once_it_is_there() -> None:
    stream = Stream()
    async with stream.screening as accept:
        await accept(saying("one "))
        first = await come(stream.policy.pieces)
        for word in ("two ", "three ", "four "):
            await accept(saying(word))
        await turned()
        assert stream.policy.pieces.empty()
        stream.policy.passes(first)
        assert (await come(stream.policy.pieces)).text == "two three four "


@timeless
async def test_a_verdict_that_does_not_come_is_waited_for_no_longer_than_the_clock_says() -> None:
    stream = Stream()
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StandingClock)
    async with stream.screening as accept:
        await accept(saying("one "))
        await come(stream.policy.pieces)
        await accept(saying("two "))
        loop.now += 0.019
        await turned()
        assert stream.policy.pieces.empty()
        loop.now += 0.002
        assert (await come(stream.policy.pieces)).text == "two "


@timeless
async def test_a_full_piece_does_not_wait_for_a_verdict() -> None:
    stream = Stream()
    async with stream.screening as accept:
        await accept(saying("one "))
        await come(stream.policy.pieces)
        await accept(saying("x" * 511))
        await turned()
        assert stream.policy.pieces.empty()
        await accept(saying("y"))
        assert (await come(stream.policy.pieces)).text == "x" * 511 + "y"


@timeless
async def test_each_piece_has_its_verdict_before_the_next_small_one_goes() -> None:
    stream = Stream()
    async with stream.screening as accept:
        await accept(saying("one "))
        first = await come(stream.policy.pieces)
        await accept(saying("x" * 512))
        second = await come(stream.policy.pieces)
        await accept(saying("two "))
        stream.policy.passes(first)
        await turned()
        assert stream.policy.pieces.empty()
        stream.policy.passes(second)
        assert (await come(stream.policy.pieces)).text == "two "


@timeless
async def test_the_texts_of_one_read_go_together() -> None:
    stream = Stream()
    async with stream.screening as accept:
        await accept(saying("one ", "two "))
        assert (await come(stream.policy.pieces)).text == "one two "


@pytest.mark.parametrize("answered", [False, True])
@timeless
async def test_the_end_waits_for_nothing_but_the_last_verdict(*, answered: bool) -> None:
    stream = Stream()
    async with stream.screening as accept:
        await accept(saying("one "))
        first = await come(stream.policy.pieces)
        if answered:
            stream.policy.passes(first)
            await come(stream.seen)
        last = Piece(events=[text("two"), choice_finished()], report=adapter_pb2.AttemptReport())
        ending = asyncio.ensure_future(accept(last))
        second = await come(stream.policy.pieces)
        assert (second.text, second.final) == ("two", True)
        if not answered:
            stream.policy.passes(first)
        stream.policy.passes(second)
        await turned()
        assert stream.policy.done.is_set()
        stream.policy.answers.put_nowait(None)
        await ending
