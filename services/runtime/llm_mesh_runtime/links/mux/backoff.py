"""How long to wait before the next attempt: longer each time, never the same for two callers."""

from __future__ import annotations

import random

FIRST = 0.2
MOST = 1.0
"""A peer that starts is found within a second: trying to reach an address costs next to nothing, and calls fail meanwhile."""
_FACTOR = 1.6
_JITTER = 0.2


class Backoff:
    """The pauses between attempts at one address."""

    def __init__(self, first: float = FIRST, most: float = MOST) -> None:
        self._first = first
        self._most = most
        self._next = first

    def reset(self) -> None:
        """It has worked."""
        self._next = self._first

    def pause(self) -> float:
        """Seconds to wait now."""
        pause, self._next = self._next, min(self._most, self._next * _FACTOR)
        return pause * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads callers, guards nothing
