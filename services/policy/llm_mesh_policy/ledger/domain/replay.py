"""The ledger's events in order: for readers that rebuild themselves, and for the one that is told as they happen."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.ledger.domain.ports import UsageReader
from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.errors import MeshError, invalid
from llm_mesh_runtime.log import get_logger

BATCH = 200
"""So many that a commit serves many, and so few that packing them keeps no request waiting for more than a millisecond."""
OBSERVABILITY = "observability"


class Events(Protocol):
    """The outbox."""

    async def after(self, sequence: int, limit: int) -> Sequence[usage_pb2.UsageEvent]:
        """Events behind a sequence, oldest first."""

    async def through(self, reader: str) -> int:
        """The sequence up to which a reader has everything."""

    async def advance(self, reader: str, sequence: int) -> None:
        """Notes that a reader has more."""


class ReplayedRecords:
    """Everything from a sequence on."""

    def __init__(self, events: Events) -> None:
        self._events = events

    async def events(self, from_sequence: int) -> AsyncIterator[Sequence[usage_pb2.UsageEvent]]:
        """Batches, until there is no more at the moment."""
        if from_sequence < 0:
            raise invalid("from_sequence", "at least 0")
        after = from_sequence - 1
        while batch := await self._events.after(after, BATCH):
            yield batch
            after = batch[-1].sequence


class Delivery:
    """Carries events to a reader: in order, at least once, with growing pauses while the reader is away. Requests never wait for it."""

    def __init__(self, events: Events, reader: UsageReader, *, pause: float = 0.2, longest_pause: float = 15.0) -> None:
        self._events = events
        self._reader = reader
        self._pause = pause
        self._longest = longest_pause
        self._news = asyncio.Event()

    def wake(self) -> None:
        """There is something new."""
        self._news.set()

    async def run(self) -> None:
        """Delivers until cancelled."""
        backoff = Backoff(self._pause, self._longest)
        while True:
            self._news.clear()
            try:
                while await self.once() == BATCH:
                    pass  # a reader that is far behind gets whole batches without pauses
                backoff.reset()
            except MeshError as error:
                get_logger().info("usage events wait for their reader", reader=OBSERVABILITY, reason=error.reason_name)
                await backoff.wait()
                continue
            await self._news.wait()
            await asyncio.sleep(self._pause)  # so that events of one moment travel together

    async def once(self) -> int:
        """Delivers one batch; answers how many events it had."""
        through = await self._events.through(OBSERVABILITY)
        batch = await self._events.after(through, BATCH)
        if batch:
            reached = await self._reader.ingest(batch)
            await self._events.advance(OBSERVABILITY, min(reached, batch[-1].sequence))
        return len(batch)
