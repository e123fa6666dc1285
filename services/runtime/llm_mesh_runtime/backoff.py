"""How long to wait before the next attempt: longer each time, up to a bound, and never the same for many callers at once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

_MAX_DOUBLINGS = 64
"""More would overflow a float long after every bound is reached."""


def step(first: float, longest: float, repetition: int) -> float:
    """The longest wait before a repetition, in seconds: `first` before repetition 0, then twice as long each time, up to `longest`."""
    return min(longest, first * 2.0 ** min(repetition, _MAX_DOUBLINGS))


class Backoff:
    """The waits between attempts that fail. `jitter` is the share of each wait that chance decides: 0 none of it, 1 all of it."""

    __slots__ = ("_chance", "_first", "_jitter", "_longest", "_repetition")

    def __init__(self, first: float, longest: float, *, jitter: float = 0.5, chance: Callable[[], float] = random.random) -> None:
        self._first = first
        self._longest = longest
        self._jitter = jitter
        self._chance = chance
        self._repetition = 0

    def reset(self) -> None:
        """An attempt has succeeded: the next wait is the first one again."""
        self._repetition = 0

    def pause(self) -> float:
        """Seconds to wait now, between (1 - jitter) of the step and the whole step. The next step is twice as long."""
        longest = step(self._first, self._longest, self._repetition)
        self._repetition += 1
        return longest * (1 - self._jitter * self._chance())

    async def wait(self) -> None:
        """Sleep until the next attempt."""
        await asyncio.sleep(self.pause())
