"""At most so many calls at once per service, a short queue for the rest, and a clear refusal beyond it.

`grpc.aio`'s own `maximum_concurrent_rpcs` miscounts. The queue knows deadlines: who could not be served in time is
refused at once instead of being served too late. A slot belongs to a call until its end, streams included, so slots and
places in the queue are shared fairly among the domains and principals that call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.errors import MeshError, RuntimeFault
from llm_mesh_runtime.shares import RESERVE, FairQueue, Party, Shares

_SMOOTHING = 0.1
_MIN_RETRY = 0.1
_MAX_RETRY = 10.0


class Limiter:
    """Counts the calls of one service."""

    def __init__(self, limit: int, queue: int, reserve: float = RESERVE) -> None:
        if limit < 1 or queue < 0:
            raise ValueError("a limiter needs at least one slot")
        self._slots = Shares(limit, reserve)
        self._queued = Shares(queue, reserve)
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()
        self._turn = 0.0  # smoothed seconds between two slots becoming free
        self._released = 0.0  # when a slot became free, or the queue began

    @property
    def active(self) -> int:
        """Calls that hold a slot."""
        return self._slots.taken

    @property
    def waiting(self) -> int:
        """Calls in the queue."""
        return len(self._waiting)

    def enter_now(self, party: Party | None = None) -> bool:
        """Take a slot if one is free. Whoever waits may have none at present, so nobody is overtaken."""
        return self._slots.take(party)

    async def enter(self, deadline: float | None, party: Party | None = None) -> None:
        """Take a slot, waiting in the queue until `deadline` (monotonic seconds). Raises OVERLOADED."""
        if self.enter_now(party):
            return
        expected = self._turn * (len(self._waiting) + 1)
        remaining = None if deadline is None else deadline - time.monotonic()
        if (remaining is not None and expected > remaining) or not self._queued.take(party):
            raise self._overloaded(expected)
        if not self._waiting:
            self._released = time.monotonic()
        slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(party, slot)
        try:
            if remaining is None:
                await slot
            else:
                async with asyncio.timeout(remaining):
                    await slot
        except TimeoutError:
            self._leave_queue(party, slot)
            raise self._overloaded(expected) from None
        except asyncio.CancelledError:
            self._leave_queue(party, slot)
            raise
        finally:
            self._queued.give(party)

    def leave(self, party: Party | None = None) -> None:
        """Give the slot back, to those that wait and may have one."""
        self._slots.give(party)
        if not self._waiting.length:
            return
        now = time.monotonic()
        self._turn += _SMOOTHING * ((now - self._released) - self._turn)
        self._released = now
        while (chosen := self._waiting.next(self._slots)) is not None:
            following, slot = chosen
            if not slot.done():
                self._slots.take(following)
                slot.set_result(None)

    @asynccontextmanager
    async def slot(self, party: Party | None, deadline: float | None = None) -> AsyncIterator[None]:
        """Hold a slot for as long as the block takes."""
        await self.enter(deadline, party)
        try:
            yield
        finally:
            self.leave(party)

    def _leave_queue(self, party: Party | None, slot: asyncio.Future[None]) -> None:
        if slot.done() and not slot.cancelled():
            self.leave(party)  # the slot was handed over in the same moment
        else:
            self._waiting.remove(party, slot)

    def _overloaded(self, expected: float) -> MeshError:
        retry_after = min(_MAX_RETRY, max(_MIN_RETRY, expected))
        message = f"{self.active} calls are being served and {self.waiting} wait"
        return RuntimeFault(errors_pb2.ERROR_REASON_OVERLOADED, message, retry_after=retry_after)


class Unlimited(Limiter):
    """Lets everybody in."""

    def __init__(self) -> None:
        super().__init__(1, 0)

    def enter_now(self, party: Party | None = None) -> bool:
        """There is no limit: everybody enters."""
        del party
        return True

    def leave(self, party: Party | None = None) -> None:
        """Nothing was taken."""
