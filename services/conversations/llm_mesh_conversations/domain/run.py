"""One response that runs in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_conversations.domain.answers import JoinedEvents
from llm_mesh_conversations.domain.errors import response_too_large
from llm_mesh_conversations.domain.ports import AnsweringStream, ResponseStore
from llm_mesh_conversations.domain.records import ResponseRecord
from llm_mesh_conversations.domain.values import ContentKey
from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.errors import MeshError, internal
from llm_mesh_runtime.log import get_logger

_MOST_WAITING = 64 * 1024
"""Bytes of events that wait to be stored; the gateway waits meanwhile."""


class Run:
    """Reads an answer, and stores its events in batches while it comes."""

    def __init__(self, store: ResponseStore, key: ContentKey, record: ResponseRecord, *, most_bytes: int) -> None:
        self._store = store
        self._key = key
        self._record = record
        self._most_bytes = most_bytes
        self._joined = JoinedEvents()
        self._waiting: list[generate_pb2.StreamEvent] = []
        self._waiting_bytes = 0
        self._stored = 0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._arrived = asyncio.Event()
        self.ended = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[gateway_pb2.Receipt] | None = None
        self._cancelled = False
        self._reason: MeshError | None = None

    @property
    def progress(self) -> asyncio.Event:
        """Is set with the next batch that is stored, or the end."""
        return self._changed

    async def further(self, progress: asyncio.Event, at_most: float) -> None:
        """Waits until more is stored than there was at that progress."""
        try:
            async with asyncio.timeout(at_most):
                await progress.wait()
        except TimeoutError:
            return

    def cancel(self, reason: MeshError | None = None) -> None:
        """Ends the answer: the provider is stopped. With a reason the response has failed, and was not cancelled by anybody."""
        self._cancelled = True
        self._reason = self._reason or reason
        if self._reading is not None:
            self._reading.cancel()

    async def work(self, ask: Callable[[], AnsweringStream]) -> None:
        """From the first event to the end."""
        self._reading = asyncio.create_task(self._read(ask))
        if self._cancelled:
            self._reading.cancel()
        storing = asyncio.create_task(self._store_batches())
        try:
            await self._conclude(self._reading, storing)
        except asyncio.CancelledError:
            self._reading.cancel()
            storing.cancel()
            raise
        finally:
            self._advance()
            self.ended.set()

    async def _conclude(self, reading: asyncio.Task[gateway_pb2.Receipt], storing: asyncio.Task[bool]) -> None:
        await asyncio.wait({reading, storing}, return_when=asyncio.FIRST_COMPLETED)
        if storing.done() and not reading.done():  # it is gone, or the store is
            reading.cancel()
            await asyncio.wait({reading})
        receipt = self._outcome(reading)
        self._arrived.set()
        await asyncio.wait({storing})
        failure = storing.exception()
        if failure is not None:
            get_logger().error("events of a background response are not stored", response=self._record.response.id, exc_info=failure)
            self._record.fail(failure if isinstance(failure, MeshError) else internal())
        elif not storing.result():
            get_logger().info("a background response ended that is not stored any more", response=self._record.response.id)
            return
        elif receipt is not None:
            self._record.complete(self._joined.events, receipt)
        await self._end()

    def _outcome(self, reading: asyncio.Task[gateway_pb2.Receipt]) -> gateway_pb2.Receipt | None:
        """The receipt of a whole answer; otherwise the record says how it ended."""
        if reading.cancelled():
            if self._reason is not None:
                self._record.fail(self._reason)
            else:
                self._record.cancel()
            return None
        failure = reading.exception()
        if failure is None:
            return reading.result()
        if not isinstance(failure, MeshError):
            get_logger().error("a background response failed by a defect", response=self._record.response.id, exc_info=failure)
        self._record.fail(failure if isinstance(failure, MeshError) else internal())
        return None

    async def _read(self, ask: Callable[[], AnsweringStream]) -> gateway_pb2.Receipt:
        receipt = gateway_pb2.Receipt()
        stream = ask()
        try:
            async for answer in stream:
                receipt.MergeFrom(answer.receipt)
                await self._take(answer.events)
        finally:
            stream.cancel()
        return receipt

    async def _take(self, events: Sequence[generate_pb2.StreamEvent]) -> None:
        for event in events:
            self._joined.add(event)
            self._waiting.append(event)
            self._waiting_bytes += event.ByteSize()
        if self._joined.bytes > self._most_bytes:
            raise response_too_large(self._most_bytes)
        self._arrived.set()
        while self._waiting_bytes > _MOST_WAITING:
            self._room.clear()
            await self._room.wait()

    async def _store_batches(self) -> bool:
        """Stores what has arrived, again and again, until everything is stored. False: the response is gone."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            batch, self._waiting, self._waiting_bytes = self._waiting, [], 0
            self._room.set()
            if batch:
                if not await self._store.append(self._key, self._record.response.id, self._stored, batch):
                    return False
                self._stored += len(batch)
                self._advance()
            if self._reading is not None and self._reading.done() and not self._waiting:
                return True

    async def _end(self) -> None:
        """Stores the end. Tries again for as long as the store does not answer: nobody else would end a response of a living instance."""
        backoff = Backoff(0.1, 5.0)
        while True:
            try:
                await self._store.end(self._key, self._record.sealed)
            except MeshError as failure:
                get_logger().warning("the end of a background response is not stored yet", reason=failure.reason_name)
                await backoff.wait()
            else:
                return

    def _advance(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
