"""How busy the engines behind endpoints are, and what their caches hold, as adapters report it. In memory, bounded, soon forgotten."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from llm_mesh.router.v1 import router_pb2

FRESH_FOR: Final = timedelta(seconds=30)
_MOST_ENDPOINTS: Final = 1_000
_MOST_RANKS: Final = 1_000
_MOST_BLOCKS: Final = 65_536
"""Blocks that are known of one rank; of more, those that were stored last."""
_MOST_BLOCKS_OF_ALL: Final = 1_000_000

Place = tuple[str, str]
"""Adapter and endpoint."""


class SeenLoad(NamedTuple):
    """A load, and how much of the cache was known beside it."""

    load: router_pb2.EndpointLoad
    cached_blocks: int


class _Cache:
    """The blocks of one rank, by hash; the value is the hash before it."""

    def __init__(self) -> None:
        self.sequence = -1
        self.blocks: OrderedDict[int, int] = OrderedDict()


class Loads:
    """Those of all endpoints."""

    def __init__(self) -> None:
        self._loads: OrderedDict[Place, tuple[router_pb2.EndpointLoad, datetime]] = OrderedDict()
        self._caches: OrderedDict[tuple[str, str, str, int], _Cache] = OrderedDict()
        """By adapter, endpoint, reporter and rank."""
        self._blocks: Counter[tuple[str, str, str]] = Counter()
        """How many are known of each endpoint by each reporter."""
        self._reporters: dict[Place, str] = {}
        """Who reported last of each endpoint: a reporter that has gone never does."""

    def __bool__(self) -> bool:
        return bool(self._loads)

    def note(self, loads: Iterable[router_pb2.EndpointLoad], now: datetime) -> None:
        """Endpoints are as busy as this."""
        for load in loads:
            place = (load.adapter, load.endpoint)
            copy = router_pb2.EndpointLoad()
            copy.CopyFrom(load)  # the message itself holds on to the whole request that it came in
            self._loads[place] = (copy, now)
            self._loads.move_to_end(place)
        while self._loads and (len(self._loads) > _MOST_ENDPOINTS or now - next(iter(self._loads.values()))[1] > FRESH_FOR):
            self._loads.popitem(last=False)

    def change(self, changes: Iterable[router_pb2.CacheChanges]) -> None:
        """Caches have changed."""
        for change in changes:
            key = (change.adapter, change.endpoint, change.reporter, change.rank)
            cache = self._caches.setdefault(key, _Cache())
            self._caches.move_to_end(key)
            before = len(cache.blocks)
            _apply(cache, change)
            self._blocks[key[:3]] += len(cache.blocks) - before
            self._reporters[key[:2]] = change.reporter
        while len(self._caches) > _MOST_RANKS or (self._blocks.total() > _MOST_BLOCKS_OF_ALL and len(self._caches) > 1):
            self._forget_oldest()

    def of(self, place: Place, now: datetime) -> SeenLoad | None:
        """The load of an endpoint, unless it is old."""
        known = self._loads.get(place)
        if known is None or now - known[1] > FRESH_FOR:
            return None
        return SeenLoad(known[0], self._blocks.get((*place, self._reporters.get(place, "")), 0))

    def _forget_oldest(self) -> None:
        (adapter, endpoint, reporter, _), cache = self._caches.popitem(last=False)
        self._blocks[adapter, endpoint, reporter] -= len(cache.blocks)
        if not self._blocks[adapter, endpoint, reporter]:
            del self._blocks[adapter, endpoint, reporter]
            if self._reporters.get((adapter, endpoint)) == reporter:
                del self._reporters[adapter, endpoint]


def outstanding(seen: Sequence[SeenLoad | None], priorities: Sequence[int]) -> list[int]:
    """How many requests each of several targets already has.

    0 for all of a priority unless each of them has reported: what is known of one alone says nothing of the others.
    """
    silent = {priority for priority, one in zip(priorities, seen, strict=True) if one is None}
    return [
        0 if one is None or priority in silent else one.load.running_requests + one.load.waiting_requests
        for priority, one in zip(priorities, seen, strict=True)
    ]


def _apply(cache: _Cache, change: router_pb2.CacheChanges) -> None:
    if change.reset or change.sequence != cache.sequence + 1:
        cache.blocks.clear()
    cache.sequence = change.sequence
    for block in change.removed:
        cache.blocks.pop(block, None)
    for stored in change.stored:
        cache.blocks[stored.hash] = stored.parent
    while len(cache.blocks) > _MOST_BLOCKS:
        cache.blocks.popitem(last=False)
