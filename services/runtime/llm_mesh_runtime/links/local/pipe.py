"""One direction of a stream: a bounded queue of messages that makes its writer wait while its reader is slow.

Writing is a plain call where there is room, as there nearly always is: a coroutine per message would cost more than the message.
"""

from __future__ import annotations

import asyncio
from collections import deque

WINDOW = 64 * 1024
_OVERHEAD = 256


class PipeClosedError(Exception):
    """The other side ended the call."""


class Pipe:
    """Serialised messages on their way."""

    __slots__ = ("_closed", "_loop", "_messages", "_reader", "_unread", "_writer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._messages: deque[bytes] = deque()
        self._unread = 0
        self._closed = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    def put(self, message: bytes) -> bool:
        """Queue a message. False where its writer is to wait for `room` before it goes on. One writer at a time, as with gRPC."""
        if self._closed:
            raise PipeClosedError
        self._messages.append(message)
        self._unread += len(message) + _OVERHEAD
        reader = self._reader
        if reader is not None and not reader.done():
            reader.set_result(None)
        return self._unread <= WINDOW

    async def room(self) -> None:
        """Wait until at most a window of bytes is unread, or nobody reads any more."""
        while self._unread > WINDOW and not self._closed:
            self._writer = self._loop.create_future()
            try:
                await self._writer
            finally:
                self._writer = None

    def arrival(self) -> asyncio.Future[None] | None:
        """To be awaited before `take`: what comes with a message, or the end. None where `take` need not wait."""
        if self._messages or self._closed:
            return None
        self._reader = reader = self._loop.create_future()
        return reader

    def take(self) -> bytes | None:
        """The next message that is there; None at the end."""
        if not self._messages:
            return None
        message = self._messages.popleft()
        self._unread -= len(message) + _OVERHEAD
        if self._writer is not None and self._unread <= WINDOW:
            _wake(self._writer)
        return message

    def close(self) -> None:
        """No more messages. What is queued can still be read; a waiting writer goes on."""
        self._closed = True
        if self._reader is not None:
            _wake(self._reader)
        if self._writer is not None:
            _wake(self._writer)

    def discard(self) -> None:
        """Close, and drop what nobody will read any more."""
        self._messages.clear()
        self._unread = 0
        self.close()

    @property
    def closed(self) -> bool:
        """Whether it takes no more messages."""
        return self._closed

    def __aiter__(self) -> Pipe:
        return self

    async def __anext__(self) -> bytes:
        arrival = self.arrival()
        if arrival is not None:
            await arrival
        message = self.take()
        if message is None:
            raise StopAsyncIteration
        return message


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
