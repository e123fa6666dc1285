"""Whether this process has more work than it can do in time, and how many callers from outside it lets in then.

Counting calls says little: a thousand streams that wait for slow models are no burden, and two hundred short requests may be.
What shows overload is work that waits for its turn. Refusing everybody while it waits, and nobody else, would swing between too
much and nothing; so there is a window, of as many callers as were inside when work began to wait. Whoever leaves lets the next one
in, and the window shrinks while work waits too long and grows while it does not. What has begun is finished. Who is let in does not
depend on who retries fastest, but on how much of the window its domain and its principal hold (`window_shares`).
"""

from __future__ import annotations

import asyncio
import random
import sys
import time

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.errors import MeshError, RuntimeFault
from llm_mesh_runtime.shares import Party, Shares
from llm_mesh_runtime.window_shares import most_inside

_PERIOD = 0.01
_IDLE = 100
"""Samples without a caller after which nothing is measured, until the next one comes."""
RETRY_AFTER = tuple(1 + step * 7 % 16 / 16 for step in range(16))
"""Seconds, given out in turn: all who are refused at once must not come again at once."""
LATE = 5
"""Samples on end that were late before there is a window, so that one long step refuses nobody."""
QUIET = 100
"""Samples on end in time, and without a refusal, after which there is none."""
LEAST = 100
"""So many may always be inside: work that waits behind so few waits for another reason, such as a neighbour."""
STEEPEST = 64
"""The most by which the window changes from one sample to the next."""


class Window:
    """How many callers may be inside. It only looks at differences: callers who wait for something slow do not count against others."""

    def __init__(self) -> None:
        self.limit: int | None = None
        """None: as many as come."""
        self._step = 0
        """By how much the window changed last, down or up; it doubles while work stays late, or in time."""
        self._late = 0
        self._quiet = 0

    def sample(self, *, late: bool, inside: int, refused: int) -> None:
        """How it was since the last sample."""
        self._late = self._late + 1 if late else 0
        self._quiet = 0 if late or refused else self._quiet + 1
        if self.limit is None:
            if self._late >= LATE:
                self.limit, self._step = max(LEAST, inside), 0
        elif late:
            self._step = max(-STEEPEST, min(-1, self._step * 2))
            self.limit = max(LEAST, min(self.limit, inside) + self._step)
        elif refused:
            self._step = min(STEEPEST, max(1, self._step * 2))
            self.limit = max(self.limit, inside) + self._step
        elif self._quiet >= QUIET:
            self.limit = None


class Pressure:
    """Measures while there are callers. Belongs to one event loop."""

    def __init__(self, lateness: float) -> None:
        self._lateness = lateness
        self._window = Window()
        self._inside = Shares(sys.maxsize)
        """It only counts: the window is what bounds."""
        self._refused = 0
        self._due = 0.0
        self._idle = _IDLE

    @property
    def high(self) -> bool:
        """Whether work has begun to wait, so that callers are refused: what nobody waits for goes behind them."""
        return self._window.limit is not None

    def admits(self, party: Party) -> bool:
        """Whether a caller is let in now."""
        limit = self._window.limit
        if limit is None or self._inside.taken < limit:
            return True
        domain, principal = self._inside.held(party)
        domains = self._inside.domains + (domain == 0)
        return self._inside.taken < most_inside(limit, domains, domain, principal)

    def enter(self, party: Party) -> bool:
        """A caller from outside wants something. False: refuse it; else `leave` follows, with the same party."""
        if self._idle >= _IDLE:
            self._watch(asyncio.get_running_loop())
        self._idle = 0
        if not self.admits(party):
            self._refused += 1
            return False
        return self._inside.take(party)

    def leave(self, party: Party) -> None:
        """One who was let in has been answered, or has gone."""
        self._inside.give(party)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = time.monotonic() + _PERIOD
        loop.call_later(_PERIOD, loop.call_soon, self._sample, loop)  # what is due first has its turn behind all that waits

    def _sample(self, loop: asyncio.AbstractEventLoop) -> None:
        late = time.monotonic() - self._due > self._lateness
        self._window.sample(late=late, inside=self._inside.taken, refused=self._refused)
        self._refused = 0
        self._idle += 1
        if self._idle < _IDLE:
            self._watch(loop)
        else:
            self._window = Window()


def overloaded(retry_after: float | None = None) -> MeshError:
    """OVERLOADED, with the seconds to wait; without them, one of `RETRY_AFTER`."""
    seconds = random.choice(RETRY_AFTER) if retry_after is None else retry_after  # noqa: S311 - no secret
    return RuntimeFault(errors_pb2.ERROR_REASON_OVERLOADED, f"server overloaded; retry after {seconds:.1f} s", retry_after=seconds)
