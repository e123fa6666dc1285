"""How often the gateway may try again: a tenth of its requests, and three a second in any case.

Retries multiply an outage. Moving on to a healthy target is bounded by the plan and free; trying the same target again, or moving
about among targets most of which are known to be down, takes from this budget.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class RetryBudget:
    """Counts what may still be tried. Belongs to one process; of several each has its share, and saves it up where it is below one."""

    def __init__(
        self, *, ratio: float = 0.1, floor: float = 3.0, ceiling: float = 100.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ratio = ratio
        self._floor = floor
        self._ceiling = ceiling
        self._clock = clock
        self._earned = 0.0
        self._tokens = floor
        self._at = clock()

    def request(self) -> None:
        """A request came: it earns a share of a retry."""
        self._earned = min(self._ceiling, self._earned + self._ratio)

    def take(self) -> bool:
        """Whether one more try may be made now; it is counted then."""
        now = self._clock()
        self._tokens = min(max(1.0, self._floor), self._tokens + (now - self._at) * self._floor)
        self._at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return True
        if self._earned >= 1.0:
            self._earned -= 1.0
            return True
        return False
