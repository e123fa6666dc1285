"""The generator against its own upstream: what it sends comes back right, in both loops, and what goes wrong is counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bench.behaviour import Behaviour, behaviour_of
from bench.load.connection import Connection
from bench.load.figures import Figures, percentiles
from bench.load.loops import Closed, Open, moments
from bench.load.spec import Expected, Spec, read, read_requests, write_requests
from bench.passthrough import Client
from bench.prompts import body, framed, texts, tool_bodies
from bench.upstream import Counts, Upstream
from bench.upstream_answers import stream_parts


@asynccontextmanager
async def served() -> AsyncIterator[tuple[int, Counts]]:
    counts = Counts()
    server = await asyncio.get_running_loop().create_server(lambda: Upstream(counts), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], counts
        await gone(counts)


async def gone(counts: Counts) -> None:
    """Clients close at the end of their loop; the server sees it a turn later."""
    async with asyncio.timeout(10):
        while counts.open:  # noqa: ASYNC110 - a count has no event
            await asyncio.sleep(0)


class Wire:
    """A transport that leads nowhere."""

    def get_extra_info(self, _name: str) -> Wire:
        return self

    def setsockopt(self, *_: int) -> None:
        return

    def write(self, _data: bytes) -> None:
        return


def requests(behaviour: Behaviour, *, streamed: bool = False) -> list[bytes]:
    return [framed(body(text, behaviour, streamed=streamed), "key") for text in texts(10)]


async def loaded(spec: Spec, asked: list[bytes]) -> Figures:
    figures = Figures({})
    loop = Open(spec, asked, figures) if spec.rate or spec.arrivals else Closed(spec, asked, figures)
    await loop.run()
    return figures


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("fresh", [False, True])
async def test_a_closed_loop_makes_exactly_so_many_requests(*, streamed: bool, fresh: bool) -> None:
    async with served() as (port, counts):
        expected = Expected(streamed=streamed, chunks=100 if streamed else 0)
        spec = Spec(port, "", expected=expected, connections=4, count=25, warm_up_count=0 if fresh else 8, fresh=fresh)
        figures = await loaded(spec, requests(Behaviour(), streamed=streamed))
    assert (len(figures.latencies), dict(figures.failures)) == (25, {})
    assert counts.requests == 25 + spec.warm_up_count
    assert figures.chunks == (2500 if streamed else 0)


def test_staggered_connections_begin_at_moments_of_their_own_which_are_the_same_in_each_run() -> None:
    begun = moments(8, 1.0)
    assert begun == sorted(set(begun)) == moments(8, 1.0)
    assert 0 <= begun[0] < begun[-1] <= 1


async def test_a_staggered_loop_sends_at_each_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, float]] = []

    def noted(count: int, seconds: float) -> list[float]:
        asked.append((count, seconds))
        return moments(count, seconds / 1000)

    monkeypatch.setattr("bench.load.loops.moments", noted)
    async with served() as (port, counts):
        figures = await loaded(Spec(port, "", connections=3, seconds=0.2, warm_up=0.0, stagger=1.0), requests(Behaviour(hang=1)))
    assert (asked, counts.requests, dict(figures.failures)) == ([(3, 1.0)], 3, {})


def test_what_a_screened_stream_ends_with_has_no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Finish, usage and end mark come with the last text, or after it: they are no tokens that came together."""
    now = [0.0]
    monkeypatch.setattr("bench.load.connection.time.perf_counter", lambda: now[0])
    figures = Figures({}, measuring=True)
    spec = Spec(0, "", expected=Expected(streamed=True, chunks=4, regrouped=True), pace=1000.0)
    connection = Connection(spec, figures, lambda _: None)
    connection.connection_made(Wire())  # type: ignore[arg-type]  # what a connection asks of its transport
    connection.send(b"", 1, 0.0)
    *parts, before_last, last = stream_parts(4)
    for part in (*parts, before_last + last):
        connection.data_received(part)
        now[0] += 1
    assert (figures.jitter, dict(figures.failures)) == ([0.0, 0.0], {})


def test_the_first_token_is_the_first_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the role that providers begin with."""
    now = [0.0]
    monkeypatch.setattr("bench.load.connection.time.perf_counter", lambda: now[0])
    figures = Figures({}, measuring=True)
    connection = Connection(Spec(0, "", expected=Expected(streamed=True, chunks=3)), figures, lambda _: None)
    connection.connection_made(Wire())  # type: ignore[arg-type]  # what a connection asks of its transport
    connection.send(b"", 1, 0.0)
    for part in stream_parts(3):
        connection.data_received(part)
        now[0] += 1
    assert (figures.firsts, dict(figures.failures)) == ([2.0], {})


async def test_an_open_loop_sends_by_the_clock_and_counts_refusals_apart() -> None:
    async with served() as (port, _):
        spec = Spec(port, "", expected=Expected(refusals=(429,)), connections=50, arrivals=tuple((0.001 * n, n) for n in range(20)))
        figures = await loaded(spec, [*requests(Behaviour()), *requests(Behaviour(status=429))])
    assert (len(figures.latencies), len(figures.refused), figures.retry_after, figures.unsent) == (10, 10, 0, 0)


async def test_what_has_no_free_connection_is_unsent_and_what_never_comes_back_is_unanswered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.load.loops._DRAIN", 0.05)
    async with served() as (port, _):
        spec = Spec(port, "", connections=3, arrivals=tuple((0.0, n) for n in range(5)))
        figures = await loaded(spec, requests(Behaviour(hang=1)))
    assert (figures.unsent, figures.unanswered) == (2, 3)


async def test_a_wrong_answer_is_a_failure_and_no_figure() -> None:
    async with served() as (port, _):
        figures = await loaded(Spec(port, "", connections=2, count=10), requests(Behaviour(status=500)))
    assert (figures.latencies, dict(figures.failures)) == ([], {"status 500": 10})


async def test_a_client_that_leaves_is_seen_by_the_upstream() -> None:
    async with served() as (port, counts):
        expected = Expected(streamed=True, chunks=100)
        spec = Spec(port, "", expected=expected, connections=2, seconds=0.2, warm_up=0.0, cancelled=1.0)
        figures = await loaded(spec, requests(Behaviour(pace=5), streamed=True))
    assert figures.cancelled > 0
    assert counts.broken >= figures.cancelled
    assert not figures.failures


async def test_the_pass_through_passes_everything_on() -> None:
    async with served() as (upstream, counts):
        server = await asyncio.get_running_loop().create_server(lambda: Client(upstream), "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            expected = Expected(streamed=True, chunks=3)
            figures = await loaded(
                Spec(port, "", expected=expected, connections=3, count=9), requests(Behaviour(chunks=3, pace=1), streamed=True)
            )
            await gone(counts)
    assert (len(figures.latencies), dict(figures.failures)) == (9, {})


async def test_a_tool_loop_is_answered_by_a_call_and_by_a_text() -> None:
    asked = [framed(each, "key") for text in texts(3) for each in tool_bodies(text)]
    async with served() as (port, _):
        figures = await loaded(Spec(port, "", expected=Expected(tool_loop=True), connections=1, count=6), asked)
    assert (len(figures.latencies), dict(figures.failures)) == (6, {})


def test_a_behaviour_travels_in_the_prompt() -> None:
    wanted = Behaviour(delay=20, pace=2.5, chunks=7, status=503)
    assert behaviour_of(framed(body("text", wanted), "key")) == wanted
    assert behaviour_of(framed(body("text"), "key")) == Behaviour()


def test_a_spec_and_requests_survive_their_files(tmp_path: Path) -> None:
    spec = Spec(1, "r", expected=Expected(refusals=(429,)), arrivals=((0.5, 1),), watched={"mesh": (1, 2)})
    assert read(spec.write(tmp_path / "spec")) == spec
    assert read(replace(spec, port=2).write(tmp_path / "spec")) != spec
    asked = [b"one\n1\n", b"", b"two"]
    assert read_requests(write_requests(tmp_path / "requests", asked)) == asked


def test_percentiles_are_by_nearest_rank() -> None:
    found = percentiles([number / 1000 for number in range(1, 101)])
    assert {name: round(found[name]) for name in ("p50", "p90", "p99", "p99.9", "max")} == {
        "p50": 50,
        "p90": 90,
        "p99": 99,
        "p99.9": 100,
        "max": 100,
    }
    assert percentiles([]) == {}
    assert percentiles([0.007])["p50"] == pytest.approx(7)
