"""Ends calls whose time is up, with few timers: one each costs a local call a quarter of its time, and hardly any ever rings.

Calls whose deadlines fall into the same twentieth of the time that they have share a timer, so that a deadline of a second or
more is kept within five per cent, never early. Shorter ones have a timer of their own.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

_SHORT = 1.0
_LONG = 60.0
_PARTS = 20.0


class Expiring(Protocol):
    """What has a deadline."""

    def expire(self) -> None:
        """Its time is up."""


class DeadlineWatch(Protocol):
    """Where a call is watched."""

    def discard(self, call: Expiring, /) -> None:
        """It has ended."""


class _Alone:
    """A timer for one call."""

    __slots__ = ("_timer",)

    def __init__(self, timer: asyncio.TimerHandle) -> None:
        self._timer = timer

    def discard(self, _call: Expiring, /) -> None:
        """It has ended."""
        self._timer.cancel()


class CallDeadlines:
    """The deadlines of the calls that one server serves."""

    __slots__ = ("_buckets",)

    def __init__(self) -> None:
        self._buckets: dict[float, set[Expiring]] = {}

    def watch(self, call: Expiring, deadline: float, loop: asyncio.AbstractEventLoop) -> DeadlineWatch | None:
        """Expires the call at `deadline` (monotonic seconds), unless what this returns discards it before; at once where it has passed."""
        now = time.monotonic()
        seconds = deadline - now
        if seconds < _SHORT:
            if seconds > 0:
                return _Alone(loop.call_later(seconds, call.expire))
            call.expire()
            return None
        width = (_LONG if seconds >= _LONG else _SHORT) / _PARTS
        until = (deadline // width + 1) * width
        bucket = self._buckets.get(until)
        if bucket is None:
            bucket = self._buckets[until] = set()
            loop.call_later(until - now, self._ring, until)
        bucket.add(call)
        return bucket

    def _ring(self, until: float) -> None:
        for call in tuple(self._buckets.pop(until)):
            call.expire()
