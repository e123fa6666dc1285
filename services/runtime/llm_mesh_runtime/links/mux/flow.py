"""The two directions of one call: credit in bytes, messages in pieces, and who waits for whom."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llm_mesh_runtime.links.local.pipe import PipeClosedError
from llm_mesh_runtime.links.mux.wire import LARGEST, MAX_CREDIT, MESSAGE, OVERHEAD, PIECE, TOO_LONG, WINDOW, too_large, violation

if TYPE_CHECKING:
    from llm_mesh_runtime.links.mux.outbox import FrameQueue
    from llm_mesh_runtime.links.mux.room import ReceiveBudget

_HALF = WINDOW // 2


class Outflow:
    """Messages of a call on their way out. Before it is bound to a connection it only keeps them."""

    __slots__ = ("_credit", "_messages", "_most", "_number", "_offset", "_outbox", "_queued", "_reader", "_tail", "_writer", "closed")

    def __init__(self) -> None:
        self._messages: deque[bytes] = deque()
        self._offset = 0
        self._credit = 0
        self._most = 0
        self._number = 0
        self._outbox: FrameQueue | None = None
        self._queued = False
        self._writer: asyncio.Future[None] | None = None
        self._reader: asyncio.Future[None] | None = None
        self._tail: Callable[[], None] | None = None
        self.closed = False

    def bind(self, outbox: FrameQueue, number: int, credit: int, most: int) -> None:
        """Send by a connection from now on. `most` is the longest piece that the other side takes."""
        self._outbox = outbox
        self._number = number
        self._credit = credit
        self._most = most
        self._go_on()

    def put(self, message: bytes) -> bool:
        """Send a message. False where the other side has no room for it: its writer is to wait for `room`. One at a time, as with gRPC."""
        if self.closed:
            raise PipeClosedError
        if self._credit > 0 and not self._messages and len(message) <= self._most and self._outbox is not None:
            self._credit -= len(message) + OVERHEAD
            self._outbox.message(self._number, message)
            return True
        self.queue(message)
        return not self._messages

    async def room(self) -> None:
        """Wait until all messages are on their way, or nobody takes them any more."""
        while self._messages and not self.closed:
            self._writer = asyncio.get_running_loop().create_future()
            try:
                await self._writer
            finally:
                self._writer = None

    def queue(self, message: bytes) -> None:
        """Take a message that nobody waits for."""
        self._messages.append(message)
        _wake(self._reader)
        self._go_on()

    def grant(self, amount: int) -> None:
        """The other side has room for more."""
        self._credit += amount
        if not 0 < amount <= MAX_CREDIT or self._credit > MAX_CREDIT:
            raise violation("credit is positive and stays below 2^31")
        self._go_on()

    def then(self, tail: Callable[[], None]) -> None:
        """Call `tail` once all messages are on their way."""
        if self._messages or self._outbox is None:
            self._tail = tail
        else:
            tail()

    def close(self) -> None:
        """Take no more messages."""
        self.closed = True
        _wake(self._writer)
        _wake(self._reader)

    def discard(self) -> None:
        """Close, and drop what has not been sent."""
        self._messages.clear()
        self._tail = None
        self.close()

    def piece(self) -> bool:
        """Send one piece of the first message. Whether there is more that may be sent now."""
        self._queued = False
        if not self._messages or self._credit <= 0 or self._outbox is None:
            return False
        message, offset, most = self._messages[0], self._offset, self._most
        size = len(message)
        part = message if size <= most else message[offset : offset + most]
        more = offset + len(part) < size
        self._credit -= len(part) + (0 if offset else OVERHEAD)
        if not more:
            self._messages.popleft()
        self._offset = offset + len(part) if more else 0
        if size <= most:
            self._outbox.message(self._number, part)
        else:
            self._outbox.add(len(part), call=self._number, kind=MESSAGE, message=part, more=more, size=0 if offset else size)
        if not self._messages:
            self._emptied()
        self._queued = bool(self._messages) and self._credit > 0
        return self._queued

    async def take(self) -> bytes | None:
        """The next message, for whoever sends it by other means; None at the end."""
        while not self._messages:
            if self.closed:
                return None
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        message = self._messages.popleft()
        if not self._messages:
            _wake(self._writer)
        return message

    def _go_on(self) -> None:
        if self._outbox is None:
            return
        if self._messages:
            if self._credit > 0 and not self._queued:
                self._queued = True
                self._outbox.take_turns(self)
        elif self._tail is not None:
            self._emptied()

    def _emptied(self) -> None:
        _wake(self._writer)
        tail, self._tail = self._tail, None
        if tail is not None:
            tail()


class Requests(Outflow):
    """The caller's direction: its end is the half-close."""

    __slots__ = ()

    def close(self) -> None:
        """Say that no more messages come."""
        if not self.closed:
            super().close()
            self.then(self._half_close)

    def discard(self) -> None:
        """The call is over."""
        self.closed = True
        super().discard()
        _wake(self._writer)
        _wake(self._reader)

    def _half_close(self) -> None:
        if self._outbox is not None:
            self._outbox.add(0, call=self._number, kind=MESSAGE, last=True)


class Inflow:
    """Messages of a call as they arrive, put together from pieces; read one by one where the call streams."""

    __slots__ = ("_balance", "_messages", "_number", "_outbox", "_partial", "_reader", "_room", "_size", "_unread", "_writer", "closed")

    def __init__(self) -> None:
        self._outbox: FrameQueue | None = None
        self._number = 0
        self._room: ReceiveBudget | None = None
        self._messages: deque[bytes] = deque()
        self._partial: bytearray | None = None
        self._size = 0
        self._balance = WINDOW
        self._unread = 0
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self.closed = False

    def bind(self, outbox: FrameQueue, number: int, room: ReceiveBudget) -> None:
        """Give credit by a connection from now on."""
        self._outbox = outbox
        self._number = number
        self._room = room

    def arrive(self, frame: Any) -> bytes | None:  # noqa: ANN401 - a frame with a message
        """Account for a frame. The message that it completes, or None."""
        part: bytes = frame.message
        if self._balance <= 0:
            raise violation("who has no credit sends nothing")
        if len(part) > PIECE:
            raise violation(TOO_LONG)
        more, partial = frame.more, self._partial
        if partial is None:
            if not more:
                self._balance -= len(part) + OVERHEAD
                return part
            self._begin(part, frame.size)
            return None
        self._balance -= len(part)
        if not part or len(partial) + len(part) + more > self._size:
            raise violation("the pieces of a message are not empty, and no longer than it")
        partial += part
        if more:
            return None
        if len(partial) != self._size:
            raise violation("the pieces of a message are as long as it")
        self._abort()
        return bytes(partial)

    def _begin(self, part: bytes, size: int) -> None:
        if size > LARGEST:
            raise too_large()
        if not 0 < len(part) < size:
            raise violation("the pieces of a message are not empty, and no longer than it")
        self._balance -= len(part) + OVERHEAD
        self._partial = bytearray(part)
        self._size = size
        if self._room is not None:
            self._room.want(self, size - len(part))

    def admit(self, amount: int) -> None:
        """There is room for the rest of a long message."""
        if amount > self._balance:
            grant = amount - self._balance
            self._grant(grant)

    def push(self, message: bytes) -> None:
        """A message for the reader."""
        self._messages.append(message)
        self._unread += len(message) + OVERHEAD
        if self._reader is not None:
            _wake(self._reader)

    async def offer(self, message: bytes) -> None:
        """A message that came by other means; returns once at most a window is unread."""
        self.push(message)
        while self._unread > WINDOW and not self.closed:
            self._writer = asyncio.get_running_loop().create_future()
            try:
                await self._writer
            finally:
                self._writer = None

    async def read(self) -> bytes | None:
        """The next message, or None at the end."""
        arrival = self.arrival()
        if arrival is not None:
            await arrival
        return self.take()

    def arrival(self) -> asyncio.Future[None] | None:
        """See `Pipe`."""
        if self._messages or self.closed:
            return None
        self._reader = reader = asyncio.get_running_loop().create_future()
        return reader

    def take(self) -> bytes | None:
        """The next message that is there; None at the end."""
        if not self._messages:
            return None
        message = self._messages.popleft()
        self._unread -= len(message) + OVERHEAD
        if not self.closed:
            free = WINDOW - self._unread - self._balance
            if free >= _HALF:
                self._grant(free)
            _wake(self._writer)
        return message

    def close(self) -> None:
        """No more messages come. What is there can still be read."""
        self.closed = True
        self._abort()
        _wake(self._reader)
        _wake(self._writer)

    def discard(self) -> None:
        """Close, and drop what nobody will read any more."""
        self._messages.clear()
        self._unread = 0
        self.close()

    def _grant(self, amount: int) -> None:
        self._balance += amount
        if self._outbox is not None:
            self._outbox.credit(self._number, amount)

    def _abort(self) -> None:
        if self._partial is not None:
            self._partial = None
            if self._room is not None:
                self._room.left(self)

    def __aiter__(self) -> Inflow:
        return self

    async def __anext__(self) -> bytes:
        message = await self.read()
        if message is None:
            raise StopAsyncIteration
        return message


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
