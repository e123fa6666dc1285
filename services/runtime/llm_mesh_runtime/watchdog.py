"""Notices when one turn of the event loop holds everybody up: counts it, and logs where the loop was meanwhile.

A beat, every few milliseconds, is a callback of the loop itself; a thread looks whether it is overdue. The thread looks while the turn
lasts, so it sees the stack of whatever does not give way. Three clocks are read, because a machine may take the processor away: the
wall's, which callers wait for, and the processor's for the loop's thread and for all threads, which tell what held the loop up.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from itertools import accumulate, chain, repeat, starmap
from operator import itemgetter
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

from llm_mesh_runtime.log import get_logger

if TYPE_CHECKING:
    from llm_mesh_runtime.telemetry.metrics import Metrics

BEAT = 0.01
"""Seconds between two beats. A turn is measured from the beat that it delayed, so up to this much shorter than it was."""
IDLE_BEAT = 0.05
"""Likewise while the loop has nothing to do. What begins then is measured by the processor's time, which nothing else used."""
_IDLE_AFTER = 50
"""Beats on end with next to nothing to do."""
_NOTHING = 0.001
"""Seconds of the processor in one beat that are next to nothing."""
_LOOK = 0.025
_BUSY = 0.8
"""Share of the time between two looks for which the loop's thread had the processor, from which its stack is taken."""
_SERIOUS = 0.25
"""Seconds of the processor from which a turn is always logged."""
_LOG_EVERY = 1.0
_MOST_FRAMES = 24
_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Turn(NamedTuple):
    """How long one turn of the loop was, in seconds."""

    wall: float
    thread: float
    """Of the processor, by the loop's thread."""
    process: float
    """Of the processor, by all threads: where it is much more than the loop's, another thread held the interpreter."""


class _Beat(NamedTuple):
    """When the next beat is due, and how far the clocks were at the last."""

    due: float
    thread: float
    process: float
    idle: bool


class Watchdog:
    """Watches one event loop. `start` and `close` are called on it."""

    def __init__(self, metrics: Metrics, *, slow: float) -> None:
        self._slow = slow
        self._count = metrics.counter("llm_mesh.loop.slow_turns", "Turns of the event loop longer than LLM_MESH_SLOW_TURN.").labels()
        durations = metrics.histogram(
            "llm_mesh.loop.slow_turn.duration",
            "How long those turns were: by the wall's clock, by the processor's for the loop's thread, and for all threads.",
            ("clock",),
            buckets=_BOUNDS,
        )
        self._durations = {clock: durations.labels(clock) for clock in Turn._fields}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop_thread = 0
        self._timer: asyncio.TimerHandle | None = None
        self._beat = _Beat(float("inf"), 0, 0, idle=False)
        self._quiet = 0
        self._seen: tuple[_Beat, list[str]] | None = None
        self._logged_at = float("-inf")
        self._unlogged = 0

    def start(self) -> None:
        """Begins to watch the running loop, whose thread this is."""
        self._loop_thread = threading.get_ident()
        self._next(asyncio.get_running_loop(), idle=False)
        self._thread = threading.Thread(target=self._look, name="watchdog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching the event loop."""
        self._ended.set()
        if self._timer is not None:
            self._timer.cancel()

    def _next(self, loop: asyncio.AbstractEventLoop, *, idle: bool) -> None:
        pause = IDLE_BEAT if idle else BEAT
        self._beat = _Beat(time.monotonic() + pause, time.thread_time(), time.process_time(), idle)
        self._timer = loop.call_later(pause, self._beats, loop)

    def _beats(self, loop: asyncio.AbstractEventLoop) -> None:
        """On the loop: whatever delayed this beat has given way."""
        beat = self._beat
        late, thread = time.monotonic() - beat.due, time.thread_time() - beat.thread
        length = max(late, min(late + IDLE_BEAT, thread)) if beat.idle and late > BEAT else late
        if length > self._slow:
            self._note(beat, Turn(length, min(length, thread), min(length, time.process_time() - beat.process)))
        self._quiet = self._quiet + 1 if thread < _NOTHING else 0
        self._next(loop, idle=self._quiet >= _IDLE_AFTER)

    def _look(self) -> None:
        """In the thread: takes the loop's stack once a beat is overdue, or the loop was busy all the time since the last look."""
        clock = time.pthread_getcpuclockid(self._loop_thread)
        used, at = time.clock_gettime(clock), time.monotonic()
        while not self._ended.wait(IDLE_BEAT if self._beat.idle else _LOOK):
            beat, seen = self._beat, self._seen
            before, used, since, at = used, time.clock_gettime(clock), at, time.monotonic()
            suspicious = at - beat.due > self._slow / 2 or used - before > (at - since) * _BUSY
            if not suspicious or (seen is not None and seen[0] is beat):
                continue
            stack = _stack(_frames(self._loop_thread))
            if self._beat is beat:
                self._seen = (beat, stack)

    def _note(self, beat: _Beat, turn: Turn) -> None:
        self._count.inc()
        for clock, seconds in turn._asdict().items():
            self._durations[clock].observe(seconds)
        now = time.monotonic()
        if turn.thread < _SERIOUS and now - self._logged_at < _LOG_EVERY:
            self._unlogged += 1
            return
        seen = self._seen
        stack = seen[1] if seen is not None and seen[0] is beat else []
        seconds = {f"{clock}_seconds": round(value, 3) for clock, value in turn._asdict().items()}
        get_logger().warning("a turn of the event loop was slow", **seconds, stack=stack, unlogged=self._unlogged)
        self._logged_at, self._unlogged = now, 0


def _frames(thread: int) -> Iterable[FrameType]:
    """The frames of a thread, innermost first. They are walked without a line of Python in between.

    Between two lines of Python the thread may go on and leave a coroutine, and CPython 3.11 then reads a caller that is gone: the process
    crashes. What runs in C alone keeps the thread waiting.
    """
    frames: deque[Any] = deque()
    innermost = map(itemgetter(thread), starmap(sys._current_frames, [()]))  # noqa: SLF001 (the interpreter offers no other way)
    with suppress(AttributeError, KeyError):  # the outermost frame has no caller; the thread may have ended
        frames.extend(accumulate(chain(innermost, repeat("f_back", _MOST_FRAMES - 1)), getattr))
    return [frame for frame in frames if frame is not None]


def _stack(frames: Iterable[FrameType]) -> list[str]:
    """Where a thread is: files, lines and functions, no values."""
    return [f"{'/'.join(frame.f_code.co_filename.rsplit('/', 3)[1:])}:{frame.f_lineno} {frame.f_code.co_qualname}" for frame in frames]
