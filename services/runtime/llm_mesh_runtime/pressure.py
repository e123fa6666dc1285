"""Whether this process has more work than it can do in time, by how late its event loop is.

Counting calls says little: a thousand streams that wait for slow models are no burden, and two hundred short requests may be.
What shows overload is work that waits for its turn. As in CoDel (RFC 8289) it is the least wait of a while that counts, so that
one long step does not refuse anybody: while every one of the last `_SAMPLES` was later than the setting allows, callers from
outside are refused at the door, where that is cheapest, and what has begun is finished.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.errors import MeshError, RuntimeFault

_PERIOD = 0.01
_SAMPLES = 6
_IDLE = 100
"""Samples without a caller after which nothing is measured, until the next one comes."""
_RETRY_AFTER = 1.0


class Pressure:
    """Measures while there are callers. Belongs to one event loop."""

    def __init__(self, lateness: float) -> None:
        self._lateness = lateness
        self._late: deque[float] = deque(maxlen=_SAMPLES)
        self._expected = 0.0
        self._idle = _IDLE

    @property
    def excessive(self) -> bool:
        """Whether work waits too long for its turn."""
        return len(self._late) == _SAMPLES and min(self._late) > self._lateness

    def check(self) -> None:
        """A caller from outside wants something. Raises OVERLOADED, which says when to try again."""
        if self._idle >= _IDLE:
            self._watch(asyncio.get_running_loop())
        self._idle = 0
        if self.excessive:
            raise overloaded()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        self._expected = time.monotonic() + _PERIOD
        loop.call_later(_PERIOD, self._sample, loop)

    def _sample(self, loop: asyncio.AbstractEventLoop) -> None:
        self._late.append(time.monotonic() - self._expected)
        self._idle += 1
        if self._idle < _IDLE:
            self._watch(loop)
        else:
            self._late.clear()


def overloaded() -> MeshError:
    """What a caller is told."""
    return RuntimeFault(errors_pb2.ERROR_REASON_OVERLOADED, "more is asked than this process can do in time", retry_after=_RETRY_AFTER)
