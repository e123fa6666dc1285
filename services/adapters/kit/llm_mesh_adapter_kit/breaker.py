"""Stops to ask a provider that keeps failing, and finds out with one call at a time whether it is back."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable

from llm_mesh_runtime.backoff import Backoff

_IN_A_ROW = 5
_WINDOW = 20
_SHARE = 0.5
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_LONGEST_THROTTLE = 5.0


class BreakerState(enum.Enum):
    """How a breaker stands."""

    CLOSED = "calls pass"
    OPEN = "calls are refused"
    HALF_OPEN = "one call at a time is tried"


class Breaker:
    """Opens after five failures in a row, or when half of the last twenty calls failed; each time it fails again it pauses longer.

    A rate limit is no failure: only several in a row make it pause, for as long as the provider asks, at most five seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._recent: deque[bool] = deque(maxlen=_WINDOW)
        self._failures = 0
        self._limits = 0
        self._backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE, jitter=0.0)
        self._until = 0.0
        self._tripped = False
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """How it stands."""
        if self._now() < self._until:
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN if self._tripped else BreakerState.CLOSED

    @property
    def probing(self) -> bool:
        """Whether a call is under way that finds out."""
        return self._probing

    def admit(self) -> float | None:
        """None: the call may pass, and must be ended by `succeeded`, `failed`, `throttled` or `left`. Else seconds to wait."""
        if self._until:
            wait = self._until - self._now()
            if wait > 0:
                return wait
        if self._tripped:
            if self._probing:
                return _FIRST_PAUSE
            self._probing = True
        return None

    def succeeded(self) -> None:
        """The provider answered."""
        if self._tripped and not self._probing:
            return  # a call from before the trip says nothing of now
        self._probing = self._tripped = False
        self._failures = self._limits = 0
        self._backoff.reset()
        self._recent.append(True)

    def failed(self) -> None:
        """The provider failed."""
        if self._tripped and not self._probing:
            return
        self._limits = 0
        self._failures += 1
        self._recent.append(False)
        bad = len(self._recent) == _WINDOW and self._recent.count(False) >= _WINDOW * _SHARE
        if self._probing or self._failures >= _IN_A_ROW or bad:
            self._until = self._now() + self._backoff.pause()
            self._tripped = True
            self._probing = False
            self._failures = 0
            self._recent.clear()

    def throttled(self, retry_after: float | None) -> None:
        """The provider's rate limit. It answered, so it is alive."""
        self._probing = self._tripped = False
        self._failures = 0
        self._limits += 1
        if self._limits >= _IN_A_ROW:
            self._until = self._now() + min(retry_after or _FIRST_PAUSE, _LONGEST_THROTTLE)
            self._limits = 0

    def left(self) -> None:
        """The caller went away: nothing was learnt."""
        self._probing = False
