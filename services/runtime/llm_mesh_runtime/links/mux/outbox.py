"""What one side has to say: collected while the loop turns, sent as one message by one writer.

With many calls in flight messages keep a pause between them, so that more goes into each; a few in flight wait for nothing.
Small frames go at once; long messages take turns, one piece each.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from llm_mesh_runtime.links.mux.wire import BATCH, CREDIT, MESSAGE, PONG

_MANY = 4
_PAUSE = 0.001
_FRAME = 16


class Pending(Protocol):
    """A call with something long to say."""

    def piece(self) -> bool:
        """Add the next piece. Whether there is more that may be sent now."""


class FrameQueue:
    """Frames on their way out. `batch` makes an empty message of this side; `busy` says how many calls are in flight."""

    __slots__ = ("_add", "_batch", "_busy", "_ends", "_full", "_last", "_make", "_pong", "_size", "_turns", "_waker", "closed", "unsent")

    def __init__(self, batch: Callable[[], Any], busy: Callable[[], int]) -> None:
        self._make = batch
        self._busy = busy
        self._batch = batch()
        self._add: Callable[..., Any] = self._batch.frames.add
        self._size = 0
        self._ends = 0
        self._full: deque[tuple[Any, int]] = deque()
        self._turns: deque[Pending] = deque()
        self._waker: asyncio.Future[None] | None = None
        self._pong: int | None = None
        self._last = 0.0
        self.closed = False
        self.unsent = 0
        """Ends of calls that the other side cannot have seen yet."""

    def add(self, weight: int, **fields: Any) -> None:  # noqa: ANN401 - a frame's
        """A frame of about so many bytes."""
        self._size += weight + _FRAME
        self._add(**fields)
        if self._size > BATCH:
            self._seal()
        if self._waker is not None:
            self._wake()

    def message(self, number: int, message: bytes) -> None:
        """A whole message that fits in one frame."""
        self._size += len(message) + _FRAME
        self._add(call=number, kind=MESSAGE, message=message)
        if self._size > BATCH:
            self._seal()
        if self._waker is not None:
            self._wake()

    def credit(self, number: int, amount: int) -> None:
        """Let the other side send more."""
        self.add(0, call=number, kind=CREDIT, credit=amount)

    def end(self, weight: int, **fields: Any) -> None:  # noqa: ANN401 - a frame's
        """The end of a call."""
        self._ends += 1
        self.unsent += 1
        self.add(weight, **fields)

    def pong(self, number: int) -> None:
        """Answer a ping; of several that came at once the last."""
        self._pong = number
        self._wake()

    def take_turns(self, call: Pending) -> None:
        """A call has a long message to send, and may."""
        self._turns.append(call)
        self._wake()

    def close(self) -> None:
        """Send what is there, and no more."""
        self.closed = True
        self._wake()

    def drop(self) -> None:
        """Send nothing of what waits; the writer ends after what it sends at this moment."""
        self._full.clear()
        self._turns.clear()
        self._pong = None
        self._batch = self._make()
        self._add = self._batch.frames.add
        self.close()

    async def run(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        """Send until it is closed and empty. The only writer of its stream."""
        while True:
            if not self._waiting():
                if self.closed:
                    return
                self._waker = asyncio.get_running_loop().create_future()
                await self._waker
                self._waker = None
            if self._busy() >= _MANY and not self._full:
                pause = self._last + _PAUSE - time.monotonic()
                if pause > 0:
                    await asyncio.sleep(pause)
            for batch, ends in self._taken():
                self._last = time.monotonic()
                await write(batch.SerializeToString())
                self.unsent -= ends

    def _waiting(self) -> bool:
        return bool(self._full or self._turns or self._pong is not None or len(self._batch.frames))

    def _taken(self) -> tuple[tuple[Any, int], ...]:
        """The next batch, if there is one, and how many calls it ends."""
        if self._pong is not None:
            number, self._pong = self._pong, None
            self._add(kind=PONG, ping=number)
        turns = self._turns
        while turns and not self._full:  # each turn adds a piece, until the batch is full
            call = turns.popleft()
            if call.piece():
                turns.append(call)
        if not self._full:
            self._seal()
        return (self._full.popleft(),) if self._full else ()

    def _seal(self) -> None:
        if len(self._batch.frames):
            self._full.append((self._batch, self._ends))
            self._ends = 0
            self._batch = self._make()
            self._add = self._batch.frames.add
            self._size = 0

    def _wake(self) -> None:
        if self._waker is not None and not self._waker.done():
            self._waker.set_result(None)
