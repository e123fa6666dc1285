"""The present snapshot: read again when something changed, and not believed any more when the store stays silent.

A change that this instance makes is seen before it is answered. Those of other instances are looked for a few times a second,
and whenever a credential is not known.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Protocol

from llm_mesh_policy.domain.resources import Contents
from llm_mesh_policy.rules.domain.snapshot import EMPTY, Snapshot, next_snapshot
from llm_mesh_runtime.errors import store_unavailable
from llm_mesh_runtime.refresh import repeat

_PACE = 0.05
"""Seconds from one reading for a credential that is not known to the next: strangers must not load the store."""


class Source(Protocol):
    """Where snapshots are read."""

    async def contents(self, since: int) -> Contents | None:
        """What changed after the revision `since`; everything where that is 0. None where nothing did."""


class Live:
    """The snapshot of now."""

    def __init__(self, source: Source, *, staleness: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._staleness = staleness
        self._monotonic = monotonic
        self._snapshot = EMPTY
        self._skew = 0
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def snapshot(self) -> Snapshot:
        """The present snapshot; STORE_UNAVAILABLE where the store has been silent for too long."""
        if self._monotonic() - self._read_at > self._staleness:
            raise store_unavailable("policy store")
        return self._snapshot

    def now(self) -> int:
        """The store's time in microseconds since 1970 UTC, as far as this machine's clock tells."""
        return time.time_ns() // 1000 + self._skew

    async def refresh(self) -> Snapshot:
        """The snapshot as it is in the store now. Those who ask while a reading has not begun share it."""
        await self._joined()
        return self._snapshot

    async def at_least(self, revision: int) -> Snapshot:
        """A snapshot of the revision or a newer one; STORE_UNAVAILABLE where the store has none."""
        if self._snapshot.revision < revision:
            await self._joined()
        if self._snapshot.revision < revision:
            await self._joined()  # the reading that was joined may have begun before the revision was there
        if self._snapshot.revision < revision:
            raise store_unavailable("policy store")
        return self.snapshot()

    async def fresh(self) -> Snapshot:
        """A snapshot that was read after this call began. All who ask within a moment share one reading."""
        started = self._monotonic()
        while self._read_at < started:
            pause = self._read_at + _PACE - self._monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            if self._read_at < started:
                await self._joined()
        return self._snapshot

    async def follow(self, pause: float) -> None:
        """Looks for changes for ever."""
        failing = "the policy store could not be read; what is known serves until it is too old"
        await repeat(self._joined, pause, delay=pause, failing=failing)

    async def revisions(self, until: float) -> AsyncGenerator[int]:
        """The present revision, then each newer one, until a time of the loop's clock.

        STORE_UNAVAILABLE once the store is silent for too long.
        """
        seen = 0
        clock = asyncio.get_running_loop().time
        while True:
            revision = self.snapshot().revision
            if revision != seen:
                seen = revision
                yield revision
                continue
            left = until - clock()
            if left <= 0:
                return
            changed = self._changed
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, self._staleness)):
                    await changed.wait()

    async def _joined(self) -> None:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="policy.snapshot")
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        began = self._monotonic()
        contents = await self._source.contents(self._snapshot.revision)
        if contents is not None:
            self._skew = contents.now - time.time_ns() // 1000
            # In a thread: the first one has everything in it, and a later one may have all that another instance applied.
            self._snapshot = await asyncio.to_thread(next_snapshot, self._snapshot, contents)
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()
        self._read_at = began
