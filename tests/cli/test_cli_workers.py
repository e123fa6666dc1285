"""Workers are started again, with longer and longer pauses where they do not last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from llm_mesh_cli.up import workers
from llm_mesh_cli.up.child import Ended
from llm_mesh_runtime.host import StartError
from llm_mesh_runtime.testing import FakePolicy, host

Fate = Callable[[int], str]
"""Whether the n-th process of a worker serves: then empty, else why not."""


class FakeChild:
    """A process that ends as soon as it serves, or does not serve at all."""

    made = 0
    fate: Fate

    def __init__(self, environ: Mapping[str, str]) -> None:
        del environ
        type(self).made += 1
        self._number = type(self).made

    def attach(self) -> None:
        """Nothing to listen to."""

    async def order(self, line: bytes) -> None:
        """As the test wants it."""
        assert line.endswith(b"\n")
        if why := type(self).fate(self._number):
            raise Ended(why)

    async def ended(self) -> int:
        """At once."""
        return -9

    def send(self, number: int) -> None:
        """It has ended."""

    def kill(self) -> None:
        """It has ended."""


class Clock:
    """Notes the pauses, and lets none of them pass after the last one that is wanted."""

    def __init__(self, most: int) -> None:
        self.pauses: list[float] = []
        self.done = asyncio.Event()
        self._most = most

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if len(self.pauses) >= self._most:
            self.done.set()
            await asyncio.Event().wait()


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> type[FakeChild]:
    made = type("Child", (FakeChild,), {"made": 0})
    monkeypatch.setattr(workers, "Child", made)
    return made


async def test_pauses_double_up_to_ten_seconds_and_restarts_are_counted(
    child: type[FakeChild], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child.fate = staticmethod(lambda number: "" if number % 2 else "no memory")
    clock = Clock(10)
    async with host(FakePolicy().service(), process="main", sockets=str(tmp_path / "run")) as mesh:
        running: Any = mesh.hosts["policy"]
        with workers.Workers(1, "127.0.0.1:0", {}) as one:
            monkeypatch.setattr("llm_mesh_cli.up.workers.asyncio.sleep", clock.sleep)
            one.begin(running)
            await one.serving()
            await clock.done.wait()
            monkeypatch.undo()
            longest = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 10.0]
            assert all(most / 2 <= pause <= most for pause, most in zip(clock.pauses, longest, strict=True))
            text = running.links("up").metrics.render().decode()
            assert 'llm_mesh_workers_restarts_total{worker="worker-1"} 9.0' in text
            assert "llm_mesh_workers_serving 0.0" in text
            await one.stop()
    assert child.made == 10


async def test_the_first_start_of_a_worker_that_fails_is_told_and_not_repeated(child: type[FakeChild], tmp_path: Path) -> None:
    child.fate = staticmethod(lambda number: "no memory" if number == 2 else "")
    async with host(FakePolicy().service(), process="main", sockets=str(tmp_path / "run")) as mesh:
        with workers.Workers(2, "127.0.0.1:0", {}) as two:
            two.begin(mesh.hosts["policy"])
            with pytest.raises(StartError, match="worker-2 cannot start: no memory"):
                await two.serving()
            await two.stop()
