"""A turn of the loop that holds everybody up is counted and logged with where it was; time that others took is told apart."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from llm_mesh_runtime.log import configure_log
from llm_mesh_runtime.telemetry.metrics import Metrics
from llm_mesh_runtime.testing import host
from llm_mesh_runtime.watchdog import _IDLE_AFTER, BEAT, IDLE_BEAT, Watchdog

SLOW = 0.05
COUNT = "llm_mesh_loop_slow_turns_total"
SUM = "llm_mesh_loop_slow_turn_duration_seconds_sum"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure_log(stream=stream, format="json")
    yield stream
    configure_log()


def value(metrics: Metrics, name: str, **labels: str) -> float:
    found = [sample.value for family in metrics.collect() for sample in family.samples if sample.name == name and sample.labels == labels]
    assert len(found) == 1, f"{name} {labels}"
    return found[0]


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    read = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in read if line["event"] == "a turn of the event loop was slow"]


def compute(seconds: float) -> None:
    """Uses the processor and does not give way."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(1000))


async def settle() -> None:
    await asyncio.sleep(BEAT * 5)


async def watched(metrics: Metrics) -> Watchdog:
    watchdog = Watchdog(metrics, slow=SLOW)
    watchdog.start()
    await settle()
    return watchdog


async def test_a_turn_that_computes_is_counted_once_and_its_stack_names_the_function(log: io.StringIO) -> None:
    metrics = Metrics()
    watchdog = await watched(metrics)
    before = value(metrics, COUNT)
    compute(0.3)
    await settle()
    watchdog.close()
    assert value(metrics, COUNT) == before + 1
    told = lines(log)[-1]
    assert any(place.endswith(" compute") and "test_watchdog.py" in place for place in told["stack"])
    assert told["thread_seconds"] >= 0.25
    assert told["wall_seconds"] >= told["thread_seconds"]
    assert value(metrics, SUM, clock="thread") >= 0.25


async def test_a_turn_that_begins_while_nothing_happens_is_measured_and_told_likewise(log: io.StringIO) -> None:
    metrics = Metrics()
    watchdog = await watched(metrics)
    for _ in range(_IDLE_AFTER * 20):
        await asyncio.sleep(BEAT)
        if watchdog._beat.idle:
            break
    assert watchdog._beat.idle
    await asyncio.sleep(IDLE_BEAT * 2)
    compute(0.12)
    await asyncio.sleep(IDLE_BEAT * 3)
    watchdog.close()
    told = [line for line in lines(log) if any(place.endswith(" compute") for place in line["stack"])]
    assert max(line["thread_seconds"] for line in told) >= 0.1


async def test_time_that_is_slept_away_counts_for_the_wall_and_not_for_the_processor(log: io.StringIO) -> None:
    metrics = Metrics()
    watchdog = await watched(metrics)
    time.sleep(0.4)  # noqa: ASYNC251 (as a machine that takes the processor away)
    await settle()
    watchdog.close()
    told = max(lines(log), key=lambda line: line["wall_seconds"])
    assert told["wall_seconds"] >= 0.3
    assert told["thread_seconds"] < 0.1


async def test_short_turns_are_not_counted(log: io.StringIO) -> None:
    metrics = Metrics()
    watchdog = Watchdog(metrics, slow=10)
    watchdog.start()
    for _ in range(20):
        compute(0.01)
        await asyncio.sleep(0)
    await settle()
    watchdog.close()
    assert value(metrics, COUNT) == 0
    assert not lines(log)


async def test_lines_are_few_where_slow_turns_are_many_and_serious_ones_are_always_told(log: io.StringIO) -> None:
    metrics = Metrics()
    watchdog = await watched(metrics)
    for seconds in (0.1, 0.1, 0.1, 0.3, 0.3):
        compute(seconds)
        await settle()
    watchdog.close()
    assert value(metrics, COUNT) >= 5
    told = lines(log)
    assert sum(1 for line in told if line["thread_seconds"] >= 0.25) == 2
    assert sum(line["unlogged"] for line in told) >= 1


async def test_a_closed_watchdog_counts_nothing() -> None:
    metrics = Metrics()
    watchdog = await watched(metrics)
    watchdog.close()
    before = value(metrics, COUNT)
    compute(0.1)
    await settle()
    assert value(metrics, COUNT) == before


async def test_every_host_has_one() -> None:
    async with host() as mesh:
        metrics = mesh.hosts[""]._shared.telemetry.metrics
        await settle()
        before = value(metrics, COUNT)
        compute(0.15)
        await settle()
        assert value(metrics, COUNT) > before
