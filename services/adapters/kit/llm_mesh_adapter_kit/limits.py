"""How long the phases of an attempt may take, and which of them is over first."""

from __future__ import annotations

import time
from typing import NamedTuple

from google.protobuf.duration_pb2 import Duration

from llm_mesh.router.v1 import plan_pb2

_MOST_KNOWN = 256


class Limits(NamedTuple):
    """In seconds."""

    connect: float = 10.0
    first_token: float = 60.0
    idle: float = 60.0
    total: float = 600.0

    def of(self, attempt: plan_pb2.Attempt) -> Limits:
        """The attempt's own limits, and these where it has none."""
        if not attempt.HasField("limits"):
            return self
        own = attempt.limits
        return Limits(
            _seconds(own.connect) if own.HasField("connect") else self.connect,
            _seconds(own.first_token) if own.HasField("first_token") else self.first_token,
            _seconds(own.idle) if own.HasField("idle") else self.idle,
            _seconds(own.total) if own.HasField("total") else self.total,
        )


class AttemptLimits:
    """The limits of attempts. Attempts at one target have the same ones, so they are read once."""

    def __init__(self, usual: Limits) -> None:
        self._usual = usual
        self._known: dict[bytes, tuple[Limits, bool]] = {}

    def of(self, attempt: plan_pb2.Attempt) -> tuple[Limits, bool]:
        """They, and whether the attempt itself limits the time to its first content."""
        if not attempt.HasField("limits"):
            return self._usual, False
        serialized = attempt.limits.SerializeToString()
        known = self._known.get(serialized)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[serialized] = (self._usual.of(attempt), attempt.limits.HasField("first_token"))
        return known


class Timers:
    """The deadlines of one attempt. `first_token` is ignored for whole answers, unless the attempt itself sets it."""

    __slots__ = ("_begun", "_content", "_event", "_limits", "_wants_first")

    def __init__(self, limits: Limits, *, wants_first: bool) -> None:
        self._limits = limits
        self._wants_first = wants_first
        self._begun = time.monotonic()
        self._event = self._begun
        self._content: float | None = None

    @property
    def limits(self) -> Limits:
        """What they measure."""
        return self._limits

    @property
    def elapsed(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._begun

    @property
    def first_content(self) -> float | None:
        """From the beginning to the first content."""
        return None if self._content is None else self._content - self._begun

    @property
    def over(self) -> bool:
        """Whether the whole time is up, or that until the first content, however much has come meanwhile."""
        spent = time.monotonic() - self._begun
        return spent > self._limits.total or (self._content is None and self._wants_first and spent > self._limits.first_token)

    def event(self, *, content: bool) -> bool:
        """Something came; answers whether it is the first content.

        Keep-alive comments are nothing: a provider that sends only those is as stalled as a silent one.
        """
        self._event = now = time.monotonic()
        first = content and self._content is None
        if first:
            self._content = now
        return first

    def next(self, *, head: bool) -> float:
        """The next deadline, in seconds of `time.monotonic`. Before the head nothing is idle."""
        limits = self._limits
        total = self._begun + limits.total
        if self._content is None and self._wants_first:
            soonest = self._begun + limits.first_token
        elif head:
            return total
        else:
            soonest = self._event + limits.idle
        return min(total, soonest)

    def phase(self, *, head: bool) -> tuple[str, float]:
        """The phase that the next deadline ends, and its limit."""
        limits = self._limits
        if self._begun + limits.total <= self.next(head=head):
            return "total", limits.total
        if self._content is None and self._wants_first:
            return "first_token", limits.first_token
        return "idle", limits.idle


def _seconds(duration: Duration) -> float:
    return duration.seconds + duration.nanos / 1e9
