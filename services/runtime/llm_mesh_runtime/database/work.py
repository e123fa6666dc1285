"""One work that waits for its turn in a thread, and how its outcome gets back to the event loop that asked."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

Together = Callable[[Connection, Sequence[Any]], Sequence[Any]]
"""Does many items at once: one outcome for each, in their order, where an exception stands for a refusal."""


class Work:
    """A function of a connection, and the future of whoever waits for what it returns."""

    __slots__ = ("function", "future", "item", "loop", "reads", "together")

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

    def wanted(self) -> bool:
        """Whether somebody still waits: a caller that was cancelled before the work began has taken it back."""
        return not self.future.done()


class Outcome(NamedTuple):
    """What came of a work: a value, or an exception."""

    work: Work
    value: object = None
    error: BaseException | None = None


def done(connection: Connection, works: Sequence[Work]) -> list[Outcome]:
    """Runs works that are done together, or a single one of any kind. What it raises counts for all of them."""
    first = works[0]
    if first.together is None:
        assert first.function is not None  # noqa: S101 (for the type checker)
        return [Outcome(first, first.function(connection))]
    values = first.together(connection, [work.item for work in works])
    pairs = zip(works, values, strict=True)
    return [Outcome(work, error=value) if isinstance(value, BaseException) else Outcome(work, value) for work, value in pairs]


def deliver(outcomes: Iterable[Outcome]) -> None:
    """Wakes the waiting callers, once per event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
    for outcome in outcomes:
        by_loop.setdefault(outcome.work.loop, []).append(outcome)
    for loop, batch in by_loop.items():
        if not loop.is_closed():  # a closed loop has nobody left who waits
            loop.call_soon_threadsafe(_resolve, batch)


def _resolve(outcomes: list[Outcome]) -> None:
    for work, value, error in outcomes:
        if work.future.done():
            continue
        if error is None:
            work.future.set_result(value)
        else:
            work.future.set_exception(error)
