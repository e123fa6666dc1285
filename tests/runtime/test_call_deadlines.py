"""Deadlines of local calls share timers: never early, late by a twentieth at most, and silent for calls that have ended."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from typing import cast

import pytest

from llm_mesh_runtime.links.local.deadlines import CallDeadlines


class Call:
    def __init__(self) -> None:
        self.expired = 0

    def expire(self) -> None:
        self.expired += 1


class Timer:
    def __init__(self, delay: float, ring: Callable[[], None]) -> None:
        self.delay = delay
        self.ring = ring
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """Remembers its timers, and rings when the test says so."""

    def __init__(self) -> None:
        self.timers: list[Timer] = []

    def call_later(self, delay: float, callback: Callable[..., None], *arguments: object) -> Timer:
        self.timers.append(Timer(delay, lambda: callback(*arguments)))
        return self.timers[-1]


@pytest.fixture
def loop() -> Loop:
    return Loop()


def watch(deadlines: CallDeadlines, call: Call, seconds: float, loop: Loop) -> Callable[[], object]:
    watched = deadlines.watch(call, time.monotonic() + seconds, cast("asyncio.AbstractEventLoop", loop))
    assert watched is not None
    return functools.partial(watched.discard, call)


@pytest.mark.parametrize("seconds", [1.0, 5.0, 59.9, 60.0, 600.0])
def test_a_call_expires_after_its_time_and_at_most_a_twentieth_later(loop: Loop, seconds: float) -> None:
    call = Call()
    watch(CallDeadlines(), call, seconds, loop)
    (timer,) = loop.timers
    assert seconds - 0.01 < timer.delay <= seconds * 1.05 + 1e-6
    timer.ring()
    assert call.expired == 1


def test_many_calls_share_few_timers_and_each_expires(loop: Loop) -> None:
    deadlines, calls = CallDeadlines(), [Call() for _ in range(500)]
    for call in calls:
        watch(deadlines, call, 30.0, loop)
    assert len(loop.timers) < 20
    for timer in loop.timers:
        timer.ring()
    assert [call.expired for call in calls] == [1] * 500


def test_a_call_that_has_ended_is_left_alone(loop: Loop) -> None:
    deadlines, ended, running = CallDeadlines(), Call(), Call()
    unwatch = watch(deadlines, ended, 30.0, loop)
    watch(deadlines, running, 30.0, loop)
    unwatch()
    for timer in loop.timers:
        timer.ring()
    assert (ended.expired, running.expired) == (0, 1)


def test_a_deadline_that_has_passed_ends_the_call_at_once(loop: Loop) -> None:
    call = Call()
    assert CallDeadlines().watch(call, time.monotonic() - 1, cast("asyncio.AbstractEventLoop", loop)) is None
    assert call.expired == 1
    assert not loop.timers


def test_a_short_deadline_has_a_timer_of_its_own(loop: Loop) -> None:
    deadlines, call = CallDeadlines(), Call()
    unwatch = watch(deadlines, call, 0.25, loop)
    (timer,) = loop.timers
    assert 0 < timer.delay <= 0.25
    unwatch()
    assert timer.cancelled
