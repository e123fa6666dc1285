"""At most so many calls at once per service, a short queue for the rest, and a clear refusal beyond it.

`grpc.aio`'s own `maximum_concurrent_rpcs` miscounts. The queue knows deadlines: who could not be served in time is
refused at once instead of being served too late. A slot belongs to a call until its end, streams included.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.errors import MeshError, RuntimeFault

_SMOOTHING = 0.1
_MIN_RETRY = 0.1
_MAX_RETRY = 10.0


class Limiter:
    """Counts the calls of one service."""

    def __init__(self, limit: int, queue: int) -> None:
        if limit < 1 or queue < 0:
            raise ValueError("a limiter needs at least one slot")
        self._limit = limit
        self._queue_limit = queue
        self._active = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._turn = 0.0  # smoothed seconds between two slots becoming free
        self._released = 0.0  # when a slot became free, or the queue began

    @property
    def active(self) -> int:
        """Calls that hold a slot."""
        return self._active

    @property
    def waiting(self) -> int:
        """Calls in the queue."""
        return len(self._waiting)

    def enter_now(self) -> bool:
        """Take a slot if one is free and nobody waits for it."""
        if self._active < self._limit and not self._waiting:
            self._active += 1
            return True
        return False

    async def enter(self, deadline: float | None) -> None:
        """Take a slot, waiting in the queue until `deadline` (monotonic seconds). Raises OVERLOADED."""
        if self.enter_now():
            return
        expected = self._turn * (len(self._waiting) + 1)
        remaining = None if deadline is None else deadline - time.monotonic()
        if len(self._waiting) >= self._queue_limit or (remaining is not None and expected > remaining):
            raise self._overloaded(expected)
        if not self._waiting:
            self._released = time.monotonic()
        slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(slot)
        try:
            if remaining is None:
                await slot
            else:
                async with asyncio.timeout(remaining):
                    await slot
        except TimeoutError:
            self._leave_queue(slot)
            raise self._overloaded(expected) from None
        except asyncio.CancelledError:
            self._leave_queue(slot)
            raise

    def leave(self) -> None:
        """Give the slot back, to the first that waits."""
        if not self._waiting:
            self._active -= 1
            return
        now = time.monotonic()
        self._turn += _SMOOTHING * ((now - self._released) - self._turn)
        self._released = now
        while self._waiting:
            slot = self._waiting.popleft()
            if not slot.done():
                slot.set_result(None)
                return
        self._active -= 1

    def _leave_queue(self, slot: asyncio.Future[None]) -> None:
        if slot.done() and not slot.cancelled():
            self.leave()  # the slot was handed over in the same moment
        elif slot in self._waiting:
            self._waiting.remove(slot)

    def _overloaded(self, expected: float) -> MeshError:
        retry_after = min(_MAX_RETRY, max(_MIN_RETRY, expected))
        message = f"{self._limit} calls are being served and {len(self._waiting)} wait"
        return RuntimeFault(errors_pb2.ERROR_REASON_OVERLOADED, message, retry_after=retry_after)


class Unlimited(Limiter):
    """Lets everybody in."""

    def __init__(self) -> None:
        super().__init__(1, 0)

    def enter_now(self) -> bool:
        """Always."""
        return True

    def leave(self) -> None:
        """Nothing was taken."""
