"""Lets the event loop have the interpreter while a thread computes.

A thread that computes gives the interpreter up only after 5 ms, each time the loop wants it; a request has dozens of such times. Work
that may be long calls `step` between its pieces, and so gives it up by itself after one millisecond.
"""

from __future__ import annotations

import time

_WORK = 0.001
_REST = 0.001


class Pace:
    """How one piece of work in a thread goes on."""

    __slots__ = ("_since",)

    def __init__(self) -> None:
        self._since = time.monotonic()

    def step(self) -> None:
        """Between two pieces: rests where the last rest was a while ago."""
        if time.monotonic() - self._since >= _WORK:
            time.sleep(_REST)
            self._since = time.monotonic()


class Unpaced(Pace):
    """For short work that is done on the event loop itself, which must not rest."""

    __slots__ = ()

    def step(self) -> None:
        """Goes on."""
