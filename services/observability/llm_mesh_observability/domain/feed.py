"""One reader of new entries for all tails of a process: what comes is read once, and only tails that want it are woken.

Many tails cost the store as much as one. A tail that is behind what is remembered here reads the store by itself, in its turn.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from llm_mesh_observability.domain.ports import Projection, Sighting
from llm_mesh_observability.domain.queries import Scope
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.log import get_logger

MOST_REMEMBERED = 1_000
_AT_ONCE = 500
_GATHERING = 0.05
"""Seconds between two looks at the store, however fast news come."""
_RESERVATIONS = "/reservations/"
_RETRY = 1.0


class TailFeed:
    """What has come since somebody follows."""

    def __init__(self, store: Projection, pause: float) -> None:
        self._store = store
        self._pause = pause
        self._news = asyncio.Event()
        self._followers: dict[str, int] = {}
        self._arrivals: dict[str, asyncio.Future[int]] = {}
        self._recent: list[Sighting] = []
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self.reached = 0
        """The sequence up to which everything has been read."""
        self._forgotten = 0
        """The newest sequence that is not remembered any more."""
        self._since: dict[str, int] = {}
        """By followed scope: of what is newer than this, all is remembered, however much others do."""

    def tell(self) -> None:
        """Something was ingested."""
        self._news.set()

    @asynccontextmanager
    async def following(self, scope: Scope) -> AsyncIterator[None]:
        """Read for as long as somebody follows."""
        key = _key(scope)
        async with self._starting:
            if self._reader is None:
                self.reached = self._forgotten = await self._store.latest()
                self._recent = []
                self._reader = asyncio.get_running_loop().create_task(self._read(), name="observability.feed")
            self._followers[key] = self._followers.get(key, 0) + 1
            self._since.setdefault(key, self._forgotten)
        try:
            yield
        finally:
            self._followers[key] -= 1
            if not self._followers[key]:
                del self._followers[key], self._since[key]
                self._arrivals.pop(key, None)
            if not self._followers and self._reader is not None:
                self._reader.cancel()
                self._reader = None

    def newer(self, scope: Scope, sequence: int, limit: int) -> Sequence[Sighting] | None:
        """Entries of the scope after a sequence, oldest first; None where that is longer ago than what is remembered."""
        key = _key(scope)
        if sequence < self._since[key]:
            return None
        begin = bisect_right(self._recent, sequence, key=_sequence)
        sightings = []
        for sighting in self._recent[begin:]:
            if key in _keys(sighting):
                sightings.append(sighting)
                if len(sightings) == limit:
                    break
        return sightings

    async def arrival(self, scope: Scope, seconds: float) -> int:
        """Wait until something of the scope comes, or for so long. Nothing of it was between what had been read and the answer."""
        key = _key(scope)
        arrival = self._arrivals.get(key)
        if arrival is None:
            arrival = self._arrivals[key] = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait({arrival}, timeout=seconds)
        return arrival.result() if done else self.reached

    async def _read(self) -> None:
        while True:
            self._news.clear()
            try:
                sightings = await self._store.since(Scope(), self.reached, _AT_ONCE)
            except MeshError as error:
                get_logger().warning("new entries cannot be read; it is tried again", error=str(error))
                await asyncio.sleep(_RETRY)
                continue
            self._take(sightings)
            if len(sightings) < _AT_ONCE:
                await asyncio.sleep(_GATHERING)
                try:
                    async with asyncio.timeout(self._pause):
                        await self._news.wait()
                except TimeoutError:
                    continue

    def _take(self, sightings: Sequence[Sighting]) -> None:
        if not sightings:
            return
        before, self.reached = self.reached, sightings[-1].sequence
        recent = [*self._recent, *sightings]
        for forgotten in recent[:-MOST_REMEMBERED]:
            self._forgotten = forgotten.sequence
            for key in _keys(forgotten):
                if key in self._since:
                    self._since[key] = forgotten.sequence
        recent = recent[-MOST_REMEMBERED:]
        self._recent = recent
        for key in {key for sighting in sightings for key in _keys(sighting)}:
            arrival = self._arrivals.pop(key, None)
            if arrival is not None:
                arrival.set_result(before)


def _key(scope: Scope) -> str:
    return scope.project or scope.domain


def _keys(sighting: Sighting) -> tuple[str, str, str]:
    """The scopes that an entry is of: all, its domain, its project."""
    project = sighting.entry.name.partition(_RESERVATIONS)[0]
    return "", project.partition("/projects/")[0], project


def _sequence(sighting: Sighting) -> int:
    return sighting.sequence
