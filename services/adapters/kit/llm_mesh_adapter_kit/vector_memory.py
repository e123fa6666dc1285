"""How many bytes of vectors there may be at once: an ordinary batch has 25 MB, and whoever asks many of them at once would have all memory.

The size of an answer is known from its first vector. It waits for its room then, unread: the provider's connection is stopped meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class VectorMemory:
    """The memory of each endpoint. First come, first served, so that a large answer does not wait for ever behind small ones."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._rooms: dict[str, _Room] = {}

    def held(self, endpoint: str) -> int:
        """Bytes that the answers of an endpoint have now."""
        room = self._rooms.get(endpoint)
        return 0 if room is None else room.held

    @asynccontextmanager
    async def share(self, endpoint: str) -> AsyncIterator[MemoryShare]:
        """What one answer has of it, until the end of the block."""
        share = MemoryShare(self._rooms.setdefault(endpoint, _Room(self.most)))
        try:
            yield share
        finally:
            share.give_back()


class MemoryShare:
    """What one answer has. Nothing at first."""

    __slots__ = ("_room", "_size")

    def __init__(self, room: _Room) -> None:
        self._room = room
        self._size = 0

    async def take(self, size: int) -> None:
        """Wait for so many bytes, once; at most as many as there are at all."""
        await self._room.take(size)
        self._size = size

    def give_back(self) -> None:
        """End it, whether it has anything or only waited: who waits behind may fit now."""
        self._room.give(self._size)
        self._size = 0


class _Room:
    __slots__ = ("_most", "_waiting", "held")

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()
        self.held = 0

    async def take(self, size: int) -> None:
        if not self._waiting and self.held + size <= self._most:
            self.held += size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, size))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(size)
            raise

    def give(self, size: int) -> None:
        self.held -= size
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting:
            turn, size = self._waiting[0]
            if not turn.done():
                if self.held + size > self._most:
                    return
                self.held += size
                turn.set_result(None)
            self._waiting.popleft()
