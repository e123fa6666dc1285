"""While work waits too long for its turn, a window decides how many callers from outside may be inside."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable

import pytest

from llm_mesh_runtime import pressure as module
from llm_mesh_runtime.pressure import LATE, LEAST, QUIET, Pressure, Window, overloaded
from llm_mesh_runtime.shares import Party

ANA = Party("domains/claims", "ana")

TURN = 0.00005
"""Of the simulated loop, by each caller who has work: a loop is late by how many have."""
TARGET = 0.01
ENOUGH = round(TARGET / TURN)
"""So many callers make work as late as it may be."""
CAPACITY = 1 / TURN / 35
"""Callers a second: each has work in 35 turns."""


class Loop:
    """Runs what is due when the test says how late it is."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._due: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._order = itertools.count()

    @property
    def idle(self) -> bool:
        return not self._due

    def call_later(self, delay: float, callback: Callable[..., None], *arguments: object) -> None:
        heapq.heappush(self._due, (self.now + delay, next(self._order), callback, arguments))

    def call_soon(self, callback: Callable[..., None], *arguments: object) -> None:
        self.call_later(0.0, callback, *arguments)

    def turn(self, *, late: float) -> None:
        """What is due next, and what it wants done soon, which waits for so long."""
        for wait in (0.0, late):
            at, _, callback, arguments = heapq.heappop(self._due)
            self.now = at + wait
            callback(*arguments)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    loop = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    monkeypatch.setattr(time, "monotonic", lambda: loop.now)
    return loop


def entered(pressure: Pressure, callers: int) -> int:
    """How many of them were let in."""
    return sum(pressure.enter(ANA) for _ in range(callers))


def test_once_work_is_late_nobody_is_let_in_until_somebody_leaves(loop: Loop) -> None:
    pressure = Pressure(TARGET)
    assert entered(pressure, 100) == 100
    for _ in range(LATE):
        assert pressure.enter(ANA)
        loop.turn(late=0.05)
    assert not pressure.enter(ANA)
    pressure.leave(ANA)
    assert entered(pressure, 2) == 1


def test_what_a_refused_caller_is_told() -> None:
    assert overloaded().reason_name == "OVERLOADED"
    assert overloaded(1.5).retry_after == 1.5
    assert len({overloaded().retry_after for _ in range(1000)}) > 1
    assert all(1 <= (overloaded().retry_after or 0) < 2 for _ in range(100))


def test_one_long_step_refuses_nobody(loop: Loop) -> None:
    pressure = Pressure(TARGET)
    for late in (0.0, *[0.9] * (LATE - 1), 0.0, *[0.9] * (LATE - 1)):
        assert entered(pressure, 100) == 100
        loop.turn(late=late)
    assert entered(pressure, 100) == 100


def test_a_few_are_always_let_in(loop: Loop) -> None:
    pressure = Pressure(TARGET)
    for _ in range(50):
        assert pressure.enter(ANA)
        loop.turn(late=0.05)
        pressure.leave(ANA)
    assert entered(pressure, LEAST) == LEAST
    assert not pressure.enter(ANA)


def test_nothing_is_measured_while_nobody_calls(loop: Loop) -> None:
    pressure = Pressure(TARGET)
    assert loop.idle
    entered(pressure, 100)
    for _ in range(module._IDLE):
        loop.turn(late=0.05)
    assert loop.idle
    assert pressure.admits(ANA)
    assert pressure.enter(ANA)
    assert not loop.idle


def test_thousands_who_wait_for_something_slow_are_never_refused(loop: Loop) -> None:
    pressure = Pressure(TARGET)
    for _ in range(100):
        assert entered(pressure, 100) == 100
        loop.turn(late=0.001)


def test_the_window_is_lifted_once_all_are_let_in_in_time_for_a_while() -> None:
    window = Window()
    for _ in range(LATE):
        window.sample(late=True, inside=50, refused=0)
    for _ in range(QUIET - 1):
        window.sample(late=False, inside=10, refused=0)
    window.sample(late=False, inside=50, refused=1)
    for _ in range(QUIET):
        assert window.limit is not None
        window.sample(late=False, inside=10, refused=0)
    assert window.limit is None


def overloaded_window(inside: int) -> Window:
    window = Window()
    for _ in range(LATE):
        window.sample(late=True, inside=inside, refused=0)
    assert window.limit == inside
    return window


def test_while_work_stays_late_the_window_shrinks_faster_and_faster_below_those_inside() -> None:
    window = overloaded_window(1000)
    limits = []
    for inside in (1000, 1000, 1000, 1000, 900):
        window.sample(late=True, inside=inside, refused=10)
        limits.append(window.limit)
    assert limits == [999, 997, 993, 985, 884]


def test_in_time_the_window_grows_faster_and_faster_above_those_inside() -> None:
    window = overloaded_window(1000)
    for _ in range(20):
        window.sample(late=True, inside=1000, refused=10)
    assert window.limit is not None
    assert window.limit < 500
    limits = []
    for inside in (1000, 1001, 1003, 1003):  # most of them wait for something slow
        window.sample(late=False, inside=inside, refused=10)
        limits.append(window.limit)
    assert limits == [1001, 1003, 1007, 1015]


class Overload:
    """A process with callers who come at a rate, and who leave after so many turns of a loop that they make late themselves."""

    def __init__(self, loop: Loop, waiting: int) -> None:
        self.working: list[int] = []
        """How many have work, at each sample. Those who wait for something slow have none, and stay."""
        self._pressure = Pressure(TARGET)
        self._loop = loop
        self._work = self._arrived = 0.0
        self.refused = 0
        assert entered(self._pressure, waiting) == waiting

    def run(self, seconds: float, rate: float) -> None:
        """A sample comes each ten milliseconds, or once a turn where that is longer."""
        end = self._loop.now + seconds
        while self._loop.now < end:
            before = self._loop.now
            self._loop.turn(late=self._work * TURN)
            passed = self._loop.now - before
            self._arrived += rate * passed
            let_in = entered(self._pressure, int(self._arrived))
            self.refused += int(self._arrived) - let_in
            self._work += let_in
            self._arrived %= 1
            left = max(0.0, self._work - passed * CAPACITY)
            for _ in range(int(self._work) - int(left)):
                self._pressure.leave(ANA)
            self._work = left
            self.working.append(int(left))


@pytest.mark.parametrize("waiting", [1, 5000])
@pytest.mark.parametrize("times", [1.5, 3.0, 20.0])
def test_under_overload_there_is_always_work_and_never_too_much(loop: Loop, times: float, waiting: int) -> None:
    overload = Overload(loop, waiting)
    overload.run(6, CAPACITY * times)  # who came before it was an overload is served
    overload.working.clear()
    overload.run(20, CAPACITY * times)
    assert min(overload.working) > ENOUGH / 4
    assert max(overload.working) < ENOUGH * 2


@pytest.mark.parametrize("waiting", [1, 5000])
def test_after_an_overload_everybody_is_let_in_again(loop: Loop, waiting: int) -> None:
    overload = Overload(loop, waiting)
    overload.run(3, CAPACITY * 3)
    assert overload.refused
    overload.run(1, CAPACITY / 2)
    before = overload.refused
    overload.run(5, CAPACITY / 2)
    assert overload.refused == before
