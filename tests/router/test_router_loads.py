"""Plans draw engines by how busy they say they are, and decisions show it. What is known of caches is bounded."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain import loads as module
from llm_mesh_router.domain.loads import FRESH_FOR, Loads, outstanding
from tests.router.test_router_planning import NOW as NOW_OF_BENCH
from tests.router.test_router_planning import A, B, Bench, attempts, model, route

NOW = datetime(2026, 12, 1, tzinfo=UTC)
PLACE = ("engine", "gpu1")


def load(endpoint: str = "gpu1", **fields: Any) -> router_pb2.EndpointLoad:
    return router_pb2.EndpointLoad(adapter="engine", endpoint=endpoint, **fields)


def changes(sequence: int, *stored: int, removed: tuple[int, ...] = (), **more: Any) -> router_pb2.CacheChanges:
    blocks = [router_pb2.CacheBlock(hash=each, tokens=16) for each in stored]
    return router_pb2.CacheChanges(adapter="engine", endpoint="gpu1", sequence=sequence, stored=blocks, removed=removed, **more)


def blocks_of(loads: Loads) -> int:
    loads.note([load()], NOW)
    seen = loads.of(PLACE, NOW)
    assert seen is not None
    return seen.cached_blocks


def test_a_load_counts_for_half_a_minute_and_the_later_one_wins() -> None:
    loads = Loads()
    loads.note([load(running_requests=1), load(running_requests=2)], NOW)
    seen = loads.of(PLACE, NOW + FRESH_FOR)
    assert seen is not None
    assert seen.load.running_requests == 2
    assert loads.of(PLACE, NOW + FRESH_FOR + timedelta(seconds=1)) is None
    assert loads.of(("engine", "other"), NOW) is None


def test_old_loads_are_forgotten_and_there_are_never_more_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_ENDPOINTS", 3)
    loads = Loads()
    loads.note([load(f"gpu{number}") for number in range(5)], NOW)
    assert [loads.of(("engine", f"gpu{number}"), NOW) is not None for number in range(5)] == [False, False, True, True, True]
    loads.note([load("late")], NOW + 2 * FRESH_FOR)
    assert loads.of(("engine", "gpu4"), NOW) is None


def test_changes_of_a_cache_add_up_in_their_order() -> None:
    loads = Loads()
    loads.change([changes(0, 1, 2, 3), changes(1, 4, removed=(1, 2))])
    assert blocks_of(loads) == 2
    loads.change([changes(2, 9, reset=True)])
    assert blocks_of(loads) == 1


def test_a_gap_begins_anew_so_that_nothing_is_believed_that_may_be_gone() -> None:
    loads = Loads()
    loads.change([changes(0, 1, 2, 3), changes(5, 7)])
    assert blocks_of(loads) == 1


def test_reporters_of_one_engine_have_sequences_of_their_own_and_the_last_one_is_believed() -> None:
    loads = Loads()
    loads.change([changes(0, 1, 2, 3, reporter="one"), changes(0, 1, 2, reporter="two")])
    loads.change([changes(1, 4, reporter="one")])
    assert blocks_of(loads) == 4, "the other's report made no gap"
    loads.change([changes(1, 3, 4, reporter="two")])
    assert blocks_of(loads) == 4
    loads.change([changes(2, removed=(1,), reporter="two")])
    assert blocks_of(loads) == 3, "what a reporter knew that is gone counts no more"


def test_a_reporter_that_is_forgotten_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_RANKS", 2)
    loads = Loads()
    loads.change([changes(0, 1, reporter="one")])
    for number in range(2):
        loads.change([router_pb2.CacheChanges(adapter="engine", endpoint="other", rank=number)])
    assert blocks_of(loads) == 0
    assert not any(key[1] == "gpu1" for key in (*loads._blocks, *loads._reporters))


def test_blocks_are_bounded_by_rank_and_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BLOCKS", 4)
    monkeypatch.setattr(module, "_MOST_BLOCKS_OF_ALL", 6)
    loads = Loads()
    loads.change([changes(0, *range(10))])
    assert blocks_of(loads) == 4
    loads.change([changes(0, *range(10), rank=1)])
    assert blocks_of(loads) == 4, "the rank that changed last stays"


def test_targets_of_one_priority_are_compared_where_all_of_them_have_reported() -> None:
    loads = Loads()
    loads.note([load("a", running_requests=3, waiting_requests=4), load("b")], NOW)
    seen = [loads.of(("engine", name), NOW) for name in ("a", "b", "c")]
    assert outstanding(seen[:2], [0, 0]) == [7, 0]
    assert outstanding(seen, [0, 0, 0]) == [0, 0, 0]
    assert outstanding(seen, [0, 0, 1]) == [7, 0, 0]


def test_the_busier_engine_is_drawn_less_often_and_decisions_show_why() -> None:
    models = [model(name, adapter="engine", endpoint=name[-1]) for name in (A, B)]
    bench = Bench(*models, routes=[route("domains/claims/routes/main", (A, 0, 1), (B, 0, 1))])
    bench.router.note_loads([load("a", running_requests=5, waiting_requests=4), load("b")], [changes(0, 1, 2)])
    first = Counter(attempts(bench.plan("main"))[0].model for _ in range(1_000))
    assert 30 < first[A] < 180, "one to ten"
    shown = {each.model: each for each in bench.decision(bench.plan("main").decision_id).candidates}
    assert (shown[A].load.running_requests, shown[A].load.waiting_requests, shown[B].HasField("load")) == (5, 4, True)
    session = [attempts(bench.plan("main", profile={"session": "s1"}))[0].model for _ in range(20)]
    assert len(set(session)) == 1


def test_a_load_that_is_old_changes_nothing_and_is_not_shown() -> None:
    models = [model(name, adapter="engine", endpoint=name[-1]) for name in (A, B)]
    bench = Bench(*models, routes=[route("domains/claims/routes/main", (A, 0, 1), (B, 0, 1))])
    bench.router.note_loads([load("a", running_requests=500), load("b")], [])
    bench.watch.time = NOW_OF_BENCH + FRESH_FOR + timedelta(seconds=1)
    first = Counter(attempts(bench.plan("main"))[0].model for _ in range(400))
    assert 120 < first[A] < 280
