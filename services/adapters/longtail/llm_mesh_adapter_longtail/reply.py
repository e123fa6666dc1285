"""The answer to one call of a library, as the adapter has it: in pieces that wait until they are read."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from llm_mesh_adapter_longtail.wire import PIECE, WINDOW, FrameError, FrameKind, WireFrame, head_of


class LibraryReply:
    """The answer to one call, in pieces."""

    __slots__ = ("_pieces", "_send", "_waiting", "call", "ended", "failed", "head")

    def __init__(self, call: int, send: Callable[[FrameKind, int], None]) -> None:
        self._send = send
        self._pieces: deque[bytes] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self.call = call
        self.head: Mapping[str, Any] | None = None
        self.ended = False
        self.failed = ""

    def take(self, frame: WireFrame) -> None:
        """What the process says of the call. Raises `FrameError` where it keeps to no window: nothing would bound what waits here."""
        if frame.kind is FrameKind.HEAD:
            self.head = head_of(frame.data)
        elif frame.kind is FrameKind.PIECE:
            if len(self._pieces) >= WINDOW or len(frame.data) > PIECE:
                raise FrameError("more of an answer than was read")
            self._pieces.append(frame.data)
        elif frame.kind is FrameKind.END:
            self.ended = True
        self._wake()

    def fail(self, why: str) -> None:
        """The answer comes no further."""
        self.failed = why
        self._wake()

    def gathered(self) -> bytes:
        """What is there; the process may send as much again."""
        count = len(self._pieces)
        data = b"".join(self._pieces)
        self._pieces.clear()
        if not self.ended and not self.failed:
            for _ in range(count):
                self._send(FrameKind.READ, self.call)
        return data

    @property
    def holds(self) -> bool:
        """Whether pieces wait to be read."""
        return bool(self._pieces)

    @property
    def there(self) -> bool:
        """Whether something can be read, or nothing is to come."""
        return bool(self._pieces) or self.ended or bool(self.failed)

    async def wait(self, deadline: float) -> None:
        """Until something happens. Raises `TimeoutError`."""
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(None if deadline == math.inf else max(deadline - time.monotonic(), 0)):
                await self._waiting
        finally:
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
