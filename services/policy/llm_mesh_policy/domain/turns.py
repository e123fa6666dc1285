"""Turns of one at a time, shared out by domain: whoever asks for many changes waits for their own, and not everybody for them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Who is next: the domain that has waited longest since it had its turn, and of it whoever came first."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        """By domain, in the order in which domains get their turn."""

    @asynccontextmanager
    async def of(self, domain: str) -> AsyncIterator[None]:
        """A turn of the domain."""
        await self._take(domain)
        try:
            yield
        finally:
            self._give()

    async def _take(self, domain: str) -> None:
        if not self._taken:
            self._taken = True
            return
        given = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(domain, deque()).append(given)
        try:
            await given
        except asyncio.CancelledError:
            if given.done() and not given.cancelled():
                self._give()
            raise

    def _give(self) -> None:
        """To the next who still waits; the domain goes to the end."""
        while self._waiting:
            domain, queue = next(iter(self._waiting.items()))
            del self._waiting[domain]
            given = queue.popleft()
            if queue:
                self._waiting[domain] = queue
            if not given.done():
                given.set_result(None)
                return
        self._taken = False
