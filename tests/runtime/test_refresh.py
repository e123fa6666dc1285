"""Polling and following: every failure of the other side is survived, and said once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
import pytest

from llm_mesh_runtime import refresh
from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.errors import store_unavailable
from llm_mesh_runtime.refresh import follow, repeat

EVERY = 30.0


class EndOfTestError(Exception):
    """Ends a loop that never ends by itself."""


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long a loop would have slept, each time."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return slept


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Level and text of what is logged."""
    entries: list[tuple[str, str]] = []

    class Log:
        def __getattr__(self, level: str) -> Any:
            return lambda text, **_: entries.append((level, text))

    monkeypatch.setattr(refresh, "get_logger", Log)
    return entries


def turns(outcomes: Sequence[bool]) -> Any:
    """A turn that succeeds or fails as it is told, and then ends the test."""
    rest = iter(outcomes)

    async def turn() -> None:
        good = next(rest, None)
        if good is None:
            raise EndOfTestError
        if not good:
            raise store_unavailable()

    return turn


async def test_turns_follow_each_other_at_the_same_distance_after_a_delay(pauses: list[float]) -> None:
    with pytest.raises(EndOfTestError):
        await repeat(turns([True, True]), EVERY, delay=2.0)
    assert pauses == [2.0, EVERY, EVERY]


async def test_a_turn_that_failed_is_tried_again_with_growing_pauses_until_one_goes_well(pauses: list[float]) -> None:
    with pytest.raises(EndOfTestError):
        await repeat(turns([False, False, True, False]), EVERY, retry=Backoff(1.0, 8.0, jitter=0.0))
    assert pauses == [0.0, 1.0, 2.0, EVERY, 1.0]


async def test_of_failures_in_a_row_the_first_one_is_a_warning(pauses: list[float], logged: list[tuple[str, str]]) -> None:
    with pytest.raises(EndOfTestError):
        await repeat(turns([False, False, True, False]), EVERY, failing="routes are unread")
    assert logged == [("warning", "routes are unread"), ("debug", "routes are unread"), ("warning", "routes are unread")]
    assert pauses == [0.0, EVERY, EVERY, EVERY, EVERY]


class Watch:
    """A stream of numbers that ends in an error, in order, or by ending the test."""

    def __init__(self, messages: Sequence[int], end: BaseException | None) -> None:
        self.cancelled = False
        self._messages = messages
        self._end = end

    async def __aiter__(self) -> AsyncIterator[int]:
        for message in self._messages:
            yield message
        if self._end is not None:
            raise self._end

    def cancel(self) -> bool:
        self.cancelled = True
        return True


async def test_a_stream_is_opened_again_however_it_ends(pauses: list[float]) -> None:
    broken = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())
    streams = [Watch([1], broken), Watch([2], None), Watch([], broken), Watch([], broken), Watch([3], EndOfTestError())]
    rest, numbers, losses = iter(streams), list[int](), list[int]()
    with pytest.raises(EndOfTestError):
        await follow(lambda: next(rest), numbers.append, lost=lambda: losses.append(len(numbers)), name="numbers")
    assert (numbers, losses) == ([1, 2, 3], [1, 2, 2])
    assert all(stream.cancelled for stream in streams)
    assert [0.025 <= pauses[0] <= 0.05, 0.025 <= pauses[1] <= 0.05, 0.05 <= pauses[2] <= 0.1, 0.1 <= pauses[3] <= 0.2] == [True] * 4
