"""Writes decisions to the store behind the requests, so that they outlive the router.

A request only puts its decision into a queue. A few batches a second take them from there; under more load than that they wait, and a
router that stops in order writes what waits.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import islice

from llm_mesh_router.domain.decisions import KEPT_AT_LEAST, KEPT_FOR, Decisions
from llm_mesh_router.domain.ports import DecisionStore
from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.clock import Clock
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.refresh import repeat

_BATCH = 250
_BATCHES_A_SECOND = 4
"""A decision costs about 20 µs of the interpreter, in the store's thread."""
_TRIMMED_EVERY = 60 * _BATCHES_A_SECOND
"""Batches of decisions between two trims."""
_FIRST_RETRY = 1.0
_LAST_RETRY = 2.0
_CLOSING_SECONDS = 5.0


class Archive:
    """Keeps the store up to date, and within its bounds."""

    def __init__(self, decisions: Decisions, store: DecisionStore, clock: Clock, *, batch: int = _BATCH) -> None:
        self._decisions = decisions
        self._store = store
        self._clock = clock
        self._batch = batch
        self._until_trim = 0

    async def run(self) -> None:
        """Writes and trims until cancelled. What could not be written is tried again in the next round."""
        retry = Backoff(_FIRST_RETRY, _LAST_RETRY)
        await repeat(self._turn, 1 / _BATCHES_A_SECOND, retry=retry, failing="decisions could not be written; they wait")

    async def _turn(self) -> None:
        if self._until_trim == 0:
            await self.trim()
            self._until_trim = _TRIMMED_EVERY
        await self.write()
        self._until_trim -= 1

    async def write(self) -> int:
        """Writes the oldest batch that the store does not have, and answers how many decisions it was."""
        unwritten = self._decisions.unwritten
        batch = list(islice(unwritten, self._batch))
        if not batch:
            return 0
        await self._store.put(batch)
        written = {decision.id for decision in batch}
        while unwritten and unwritten[0].id in written:  # others may have been pushed out of the queue meanwhile
            unwritten.popleft()
        return len(batch)

    async def trim(self) -> None:
        """Deletes what is older than promised, and what is more than there may be."""
        now = self._clock.now()
        await self._store.trim(before=now - KEPT_FOR, least=KEPT_AT_LEAST, most=self._decisions.most)

    async def close(self, within: timedelta = timedelta(seconds=_CLOSING_SECONDS)) -> None:
        """Writes what waits, as far as there is time."""
        try:
            async with asyncio.timeout(within.total_seconds()):
                while await self.write():
                    continue
        except (MeshError, TimeoutError) as error:
            get_logger().warning("decisions are lost", error=str(error), lost=len(self._decisions.unwritten))
