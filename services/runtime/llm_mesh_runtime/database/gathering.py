"""How writes of an event loop get to a writer: together with those that are about to come.

A group of one costs as much as a group of thirty: a transaction, an fsync, and two threads woken. Requests that are served at the
same time reach the ledger within a few turns of the event loop, so a write waits until turns have passed that brought no other.
While the loop has nothing else to do, such turns take microseconds; no timer is involved. While it is busy they take as long as what
it does, and an answer would have had to wait for that too.
"""

import asyncio
from collections.abc import Callable

from llm_mesh_runtime.database.work import Work

_QUIET_TURNS = 5
"""A request takes about four turns from one step through the mesh to the next."""
_MOST_TURNS = 32
_ENOUGH = 128


class Gathering:
    """The writes of one event loop that were not handed over yet."""

    def __init__(self, loop: asyncio.AbstractEventLoop, hand_over: Callable[[list[Work]], None]) -> None:
        self.loop = loop
        self._hand_over = hand_over
        self._works: list[Work] = []
        self._seen = 0
        self._quiet = 0
        self._turns = 0

    def add(self, work: Work) -> None:
        """Put work into the next transaction."""
        if not self._works:
            self._seen = self._quiet = self._turns = 0
            self.loop.call_soon(self._turn)
        self._works.append(work)

    def end(self) -> None:
        """Hands over what there is."""
        works, self._works = self._works, []
        if works:
            self._hand_over(works)

    def _turn(self) -> None:
        """A turn of the loop has passed."""
        count = len(self._works)
        if count == 0:
            return
        self._turns += 1
        self._quiet = self._quiet + 1 if count == self._seen else 0
        self._seen = count
        if self._quiet >= _QUIET_TURNS or count >= _ENOUGH or self._turns >= _MOST_TURNS:
            self.end()
        else:
            self.loop.call_soon(self._turn)
