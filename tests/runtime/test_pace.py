"""A thread that computes gives the interpreter up between its pieces."""

from __future__ import annotations

import time

import pytest

from llm_mesh_runtime.pace import Pace


def test_it_rests_once_it_has_worked_for_a_while_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    now, rests = 100.0, list[float]()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(time, "sleep", rests.append)
    pace = Pace()
    for _ in range(10):
        now += 0.00005
        pace.step()
    assert not rests
    now += 0.002
    pace.step()
    pace.step()
    assert len(rests) == 1
