"""Requests of a session stay at one target among equals; sessions spread by weight; what goes away moves its own sessions alone."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.router.v1 import router_pb2
from tests.router.test_router_planning import Bench, attempts, model, route

OWN = "domains/claims/models/"
sessions = st.text(min_size=1, max_size=40)
targets = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 100)), min_size=1, max_size=8)


def bench_of(given_targets: list[tuple[int, int]], *, retired: frozenset[str] = frozenset()) -> Bench:
    """A router with one route over models of these priorities and weights; those `retired` take no request."""
    names = [f"{OWN}m{number}" for number in range(len(given_targets))]
    models = [model(name, lifecycle="LIFECYCLE_RETIRED" if name in retired else "LIFECYCLE_ACTIVE") for name in names]
    wanted = [(name, *each) for name, each in zip(names, given_targets, strict=True)]
    return Bench(*models, routes=[route("domains/claims/routes/r", *wanted, max_attempts=len(names))])


def first(bench: Bench, session: str, **more: Any) -> str:
    """The model that is tried first."""
    return attempts(bench.plan("r", profile={"session": session}, **more))[0].model


def order(bench: Bench, session: str) -> list[str]:
    """All models, in the order in which they are tried."""
    return [attempt.model for attempt in attempts(bench.plan("r", profile={"session": session}))]


@given(targets, sessions)
def test_every_request_of_a_session_has_the_same_order(wanted: list[tuple[int, int]], session: str) -> None:
    one, other = bench_of(wanted), bench_of(wanted)  # another instance of the router, or the same after a restart
    assert order(one, session) == order(one, session) == order(other, session)


@given(targets, sessions)
def test_priority_comes_before_affinity(wanted: list[tuple[int, int]], session: str) -> None:
    priorities = [wanted[int(name.removeprefix(f"{OWN}m"))][0] for name in order(bench_of(wanted), session)]
    assert priorities == sorted(priorities)


@given(targets, sessions, st.data())
def test_what_goes_away_moves_its_own_sessions_alone(wanted: list[tuple[int, int]], session: str, data: st.DataObject) -> None:
    whole = order(bench_of(wanted), session)
    gone = frozenset(data.draw(st.sets(st.sampled_from(whole), max_size=len(whole) - 1)))
    assert order(bench_of(wanted, retired=gone), session) == [name for name in whole if name not in gone]


def test_sessions_spread_by_weight() -> None:
    bench = bench_of([(0, 3), (0, 1)])
    counted = Counter(first(bench, f"session-{number}") for number in range(2000))
    assert 1400 < counted[f"{OWN}m0"] < 1600


def test_sessions_of_one_name_in_two_domains_have_nothing_to_do_with_each_other() -> None:
    names = [f"domains/shared/models/m{number}" for number in range(2)]
    bench = Bench(*map(model, names), routes=[route("domains/shared/routes/r", *((name, 0, 1) for name in names))])
    pairs = Counter((first(bench, f"s{n}", domain="domains/a"), first(bench, f"s{n}", domain="domains/b")) for n in range(200))
    assert len(pairs) == 4


def test_without_a_session_each_request_is_drawn_by_itself() -> None:
    bench = bench_of([(0, 1), (0, 1)])
    assert len({first(bench, "") for _ in range(100)}) == 2


def test_a_session_leaves_a_target_that_keeps_failing_and_comes_back() -> None:
    bench = bench_of([(0, 1), (0, 1), (0, 1)])
    home, second, *_ = order(bench, "s")
    for _ in range(5):
        bench.ranking.note(router_pb2.AttemptResult(model=home, domain="domains/claims", error_reason="PROVIDER_ERROR"), bench.watch.now())
    assert first(bench, "s") == second
    bench.watch.time += timedelta(seconds=31)
    assert first(bench, "s") == home
