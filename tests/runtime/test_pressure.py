"""Callers from outside are refused while the event loop is late, and only while it stays so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from llm_mesh_runtime import pressure as module
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.pressure import Pressure


class Loop:
    """Runs what is due when the test says how late it is."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.due: list[tuple[float, Callable[..., None], tuple[object, ...]]] = []

    def call_later(self, delay: float, callback: Callable[..., None], *arguments: object) -> None:
        self.due.append((self.now + delay, callback, arguments))

    def turn(self, *, late: float) -> None:
        at, callback, arguments = self.due.pop()
        self.now = at + late
        callback(*arguments)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    loop = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    monkeypatch.setattr(time, "monotonic", lambda: loop.now)
    return loop


def test_callers_are_refused_while_every_step_comes_late(loop: Loop) -> None:
    pressure = Pressure(0.02)
    pressure.check()
    for _ in range(module._SAMPLES):
        pressure.check()
        loop.turn(late=0.05)
    with pytest.raises(MeshError, match="more is asked") as refused:
        pressure.check()
    assert refused.value.reason_name == "OVERLOADED"
    assert refused.value.retry_after == 1.0
    loop.turn(late=0.001)
    pressure.check()


def test_one_long_step_refuses_nobody(loop: Loop) -> None:
    pressure = Pressure(0.02)
    pressure.check()
    for late in (0.0, *[0.9] * (module._SAMPLES - 1), 0.0, 0.9, 0.9):
        loop.turn(late=late)
        pressure.check()


def test_nothing_is_measured_while_nobody_calls(loop: Loop) -> None:
    pressure = Pressure(0.02)
    assert not loop.due
    pressure.check()
    for _ in range(module._IDLE):
        loop.turn(late=0.05)
    assert not loop.due
    assert not pressure.excessive
    pressure.check()
    assert loop.due
