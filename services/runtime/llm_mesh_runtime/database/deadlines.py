"""When callers stop to wait for their works: one timer for all of them, since a timer each costs more than many a work's answer."""

import asyncio
from collections.abc import Callable

from llm_mesh_runtime.database.work import Work


class WorkDeadlines:
    """The works of one event loop that are waited for equally long: who came first is given up first."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout: float, expire: Callable[[Work], None]) -> None:
        self.loop = loop
        self._timeout = timeout
        self._expire = expire
        self._until: dict[Work, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, work: Work) -> None:
        """A work that somebody begins to wait for."""
        self._until[work] = until = self.loop.time() + self._timeout
        if self._timer is None:
            self._timer = self.loop.call_at(until, self._ring)

    def remove(self, work: Work) -> None:
        """Nobody waits any more."""
        self._until.pop(work, None)

    def close(self) -> None:
        """Nobody will wait."""
        if self._timer is not None:
            self._timer.cancel()

    def _ring(self) -> None:
        """Gives up what is due; looks again when the next one is, which may have been answered by then."""
        self._timer = None
        now = self.loop.time()
        for work, until in list(self._until.items()):
            if until > now:
                self._timer = self.loop.call_at(until, self._ring)
                return
            del self._until[work]
            self._expire(work)
