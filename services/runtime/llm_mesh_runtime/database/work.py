"""One work that waits for its turn in a thread, and how what came of it gets back to the event loop that asked."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

Together = Callable[[Connection, Sequence[Any]], Sequence[Any]]
"""Does many items at once: one outcome for each, in their order, where an exception stands for a refusal."""


class Work:
    """A function of a connection, the future of whoever waits for what it returns, and what came of it."""

    __slots__ = ("error", "function", "future", "item", "loop", "reads", "together", "value")

    def __init__(
        self,
        function: Callable[[Connection], Any] | None,
        loop: asyncio.AbstractEventLoop,
        *,
        reads: bool,
        together: Together | None = None,
        item: object = None,
    ) -> None:
        self.function = function
        self.loop = loop
        self.reads = reads
        self.together = together
        self.item = item
        self.future: asyncio.Future[Any] = loop.create_future()
        self.value: object = None
        self.error: BaseException | None = None

    def awaited(self) -> bool:
        """Whether somebody still waits: a caller that was cancelled before the work began has taken it back."""
        return not self.future.done()


def done(connection: Connection, works: Sequence[Work]) -> None:
    """Runs works that are done together, or a single one of any kind. What it raises counts for all of them."""
    first = works[0]
    if first.together is None:
        assert first.function is not None  # noqa: S101 (for the type checker)
        first.value, first.error = first.function(connection), None
        return
    for work, value in zip(works, first.together(connection, [work.item for work in works]), strict=True):
        work.value, work.error = (None, value) if isinstance(value, BaseException) else (value, None)


def deliver(works: Iterable[Work]) -> None:
    """Wakes the waiting callers with what came of their works, once per event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Work]] = {}
    for work in works:
        by_loop.setdefault(work.loop, []).append(work)
    for loop, batch in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, batch)
        except RuntimeError:  # a closed loop has nobody left who waits
            if not loop.is_closed():
                raise


def _resolve(works: list[Work]) -> None:
    for work in works:
        if work.future.done():
            continue
        if work.error is None:
            work.future.set_result(work.value)
        else:
            work.future.set_exception(work.error)
