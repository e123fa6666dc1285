"""Makes changes that are recorded in the audit trail, each in one transaction with the row that says so.

Changes take turns: on PostgreSQL across instances too. A transaction that finds a row of an earlier change is undone, and the row is
delivered first. So of the changes that policy has not recorded there is never more than the newest.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, MetaData, delete, insert, select, text

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh.policy.v1 import audit_pb2
from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError, RuntimeFault
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.outbox.author import Author, author
from llm_mesh_runtime.outbox.notes import Notes
from llm_mesh_runtime.outbox.recording import ChangeRecorder
from llm_mesh_runtime.outbox.tables import outbox_table
from llm_mesh_runtime.tasks import TaskSet

T = TypeVar("T")
Work = Callable[[Connection, Notes], T]

_OUTBOX = outbox_table(MetaData())
_MOST_AT_ONCE = 500
_TIMEOUT = 2.0
_ATTEMPTS = 8
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_REFUSAL = "ESCALATION_DENIED"


class Outbox:
    """The changes of one service. `seconds` bounds how long a caller waits for policy, in seconds."""

    def __init__(self, database: Database, recording: ChangeRecorder, *, seconds: float = _TIMEOUT) -> None:
        self._database = database
        self._recording = recording
        self._timeout = seconds
        self._turn = asyncio.Lock()
        self._tasks = TaskSet()
        self._flight: asyncio.Task[bool] | None = None
        self._wake = asyncio.Event()
        self._written = 1
        """Grows with each transaction that left rows. 1: whatever an earlier process left."""
        self._delivered = 0
        """What was written up to here is recorded."""
        self._failed_at = 0.0
        """When the newest delivery that failed began; 0 where the newest did not fail."""

    def start(self) -> None:
        """Delivers what an earlier process left, and from now on what a caller could not wait for."""
        self._tasks.spawn(self._repeat(), name="outbox.delivery")

    async def close(self) -> None:
        """Ends background work. What is not delivered is delivered after the next start."""
        await self._tasks.close()

    async def write(self, work: Work[T], *, action: str, by: Author | None = None) -> T:
        """Runs a work that changes resources and notes it; answers after the commit, and after the delivery where policy answers.

        `by` is set for what no call asks for.

        AUDIT_UNAVAILABLE, and nothing is changed, where an earlier change is not recorded yet. A refusal for escalation is recorded.
        """
        by = by or author()
        try:
            return await self._write(work, by, action)
        except MeshError as error:
            if error.reason_name == _REFUSAL:
                resource, message = error.metadata.get("resource", ""), error.message
                await self._write(lambda _, notes: notes.refusal(resource, message), by, action)
            raise

    async def _write(self, work: Work[T], by: Author, action: str) -> T:
        since = time.monotonic()
        try:
            async with self._turn:
                value = await self._commit(work, by, action, since)
            if self._delivered < self._written:
                await self._deliver(self._written)
        finally:
            if self._delivered < self._written:
                self._wake.set()  # a caller that left does not wait for the delivery, and a cancelled commit may still have happened
        return value

    async def _commit(self, work: Work[T], by: Author, action: str, since: float) -> T:
        for _ in range(_ATTEMPTS):
            await self._deliver_earlier(since)
            try:
                self._written += 1  # from the attempt on: a commit whose answer is lost leaves a row too
                value, left = await self._database.write(lambda connection: self._transaction(connection, work, by, action))
            except _UndeliveredError:
                continue
            if not left and self._delivered == self._written - 1:
                self._delivered = self._written
            return value
        raise audit_unavailable()

    def _transaction(self, connection: Connection, work: Work[T], by: Author, action: str) -> tuple[T, bool]:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:lock))"), {"lock": f"llm-mesh:changes:{self._database.name}"})
        if connection.scalar(select(_OUTBOX.c.sequence).limit(1)) is not None:
            raise _UndeliveredError
        notes = Notes(by, action, self._database.now(connection))
        value = work(connection, notes)
        rows = [{"event_id": record.event_id, "body": record.SerializeToString()} for record in notes.records]
        if rows:
            connection.execute(insert(_OUTBOX), rows)
        return value, bool(rows)

    async def _deliver_earlier(self, since: float) -> None:
        """Delivers what was written before. Whoever waits behind a delivery that failed is refused by it, without another attempt."""
        if self._delivered >= self._written:
            return
        if self._failed_at >= since or not await self._deliver(self._written):
            raise audit_unavailable()

    async def _deliver(self, through: int) -> bool:
        """Whether everything that was written so far is recorded, within the time limit."""
        deadline = time.monotonic() + self._timeout
        while self._delivered < through:
            flight = self._flight
            if flight is None or flight.done():
                flight = self._flight = self._tasks.spawn(self._attempt(), name="outbox.attempt")
            await asyncio.wait({flight}, timeout=max(0.0, deadline - time.monotonic()))
            if not flight.done():
                self._failed_at = time.monotonic()
                return False
            if flight.cancelled() or flight.exception() is not None or not flight.result():
                return False
        return True

    async def _attempt(self) -> bool:
        """One delivery of everything that waits; False where it failed."""
        began = time.monotonic()
        try:
            while True:
                written = self._written
                waiting = await self._database.read(_waiting)
                if not waiting:
                    break
                await self._recording.record(waiting)
                ids = [record.event_id for record in waiting]
                await self._database.write(lambda connection: connection.execute(delete(_OUTBOX).where(_OUTBOX.c.event_id.in_(ids))))  # noqa: B023 (awaited before `ids` changes)
        except MeshError as error:
            if not self._failed_at:
                get_logger().warning("a change is not recorded in the audit trail yet; no further one is made", error=str(error))
            self._failed_at = max(self._failed_at, began)
            return False
        self._delivered, self._failed_at = max(self._delivered, written), 0.0
        return True

    async def _repeat(self) -> None:
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        while True:
            if self._delivered >= self._written or await self._deliver(self._written):
                backoff.reset()
                await self._wake.wait()
                self._wake.clear()
                continue
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(backoff.pause()):
                    await self._wake.wait()


class _UndeliveredError(Exception):
    """A transaction found a row of an earlier change."""


def audit_unavailable() -> MeshError:
    """An earlier change is not recorded yet."""
    message = "an earlier change is not recorded in the audit trail yet; nothing was changed"
    return RuntimeFault(errors_pb2.ERROR_REASON_AUDIT_UNAVAILABLE, message, retry_after=1.0)


def _waiting(connection: Connection) -> list[audit_pb2.ChangeRecord]:
    bodies = connection.scalars(select(_OUTBOX.c.body).order_by(_OUTBOX.c.sequence).limit(_MOST_AT_ONCE))
    return [audit_pb2.ChangeRecord.FromString(body) for body in bodies]
