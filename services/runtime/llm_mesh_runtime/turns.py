"""Turns of one at a time, shared out among owners such as domains: whoever wants many waits for their own, and not everybody for them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Whose turn it is: the owner that has waited longest since it had one, and of it whoever came first."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        """By owner, in the order in which owners get their turn."""

    @asynccontextmanager
    async def of(self, owner: str) -> AsyncIterator[None]:
        """A turn of the owner, which ends with the block."""
        await self.take(owner)
        try:
            yield
        finally:
            self.give()

    async def take(self, owner: str) -> None:
        """Wait for a turn. `give` ends it."""
        if not self._taken:
            self._taken = True
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.give()
            raise

    def give(self) -> None:
        """End the turn; the next who still waits has one. Its owner goes behind all others."""
        while self._waiting:
            owner, places = next(iter(self._waiting.items()))
            del self._waiting[owner]
            while places:
                place = places.popleft()
                if not place.done():
                    if places:
                        self._waiting[owner] = places
                    place.set_result(None)
                    return
        self._taken = False
