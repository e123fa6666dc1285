"""Samples stacks by CPU time, of all threads.

At each millisecond of the process's CPU time every thread's own clock is read, and what a thread used since the last sample goes to
the stack that it has now. So shares add up: to the process's whole CPU, threads outside of Python included.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType

_PERIOD = 0.001
_DEPTH = 80
OUTSIDE = "threads outside of Python"


class Sampler:
    """CPU seconds by stack."""

    def __init__(self) -> None:
        self._stacks: dict[tuple[str, ...], float] = defaultdict(float)
        self._last: dict[int, float] = {}
        self._main = threading.main_thread()
        self._whole = 0.0
        self._spent = 0.0
        self.ticks = 0

    def start(self) -> None:
        """From now on; in the main thread, which is the one that signals reach."""
        signal.signal(signal.SIGPROF, self._sample)
        self._whole, self._last = time.process_time(), {}
        self._read_clocks()
        signal.setitimer(signal.ITIMER_PROF, _PERIOD, _PERIOD)

    def stop(self) -> None:
        """Until now."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._whole = time.process_time() - self._whole - self._spent

    def write(self, path: Path) -> None:
        """Stacks, outermost frame first, with their seconds; the first element is the thread's name."""
        outside = max(0.0, self._whole - sum(self._stacks.values()))
        stacks = [[list(stack), seconds] for stack, seconds in sorted(self._stacks.items(), key=lambda item: -item[1])]
        path.write_text(json.dumps({"seconds": self._whole, "ticks": self.ticks, "stacks": [*stacks, [[OUTSIDE], outside]]}))

    def _sample(self, _signal: int, frame: FrameType | None) -> None:
        begun = time.thread_time()
        self.ticks += 1
        used = self._read_clocks()
        if used:
            frames = sys._current_frames()  # noqa: SLF001 - documented, and there is no other way
            for thread, seconds in used.items():
                current = frame if thread is self._main else frames.get(thread.ident or 0)
                self._stacks[thread.name, *_stack(current)] += seconds
        taken = time.thread_time() - begun
        self._spent += taken
        self._last[self._main.native_id or 0] += taken  # this handler is no work of the mesh

    def _read_clocks(self) -> dict[threading.Thread, float]:
        used = {}
        for thread in threading.enumerate():
            number = thread.native_id
            if number is None:
                continue
            try:
                now = time.clock_gettime(_clock(number))
            except OSError:  # it ended meanwhile
                continue
            if now > self._last.get(number, now):
                used[thread] = now - self._last[number]
            self._last[number] = now
        return used


def _clock(thread: int) -> int:
    """The CPU clock of a thread of this process, as the kernel numbers it; `pthread_getcpuclockid` may crash on one that has ended."""
    return (~thread << 3) | 6


def _stack(frame: FrameType | None) -> list[str]:
    names: list[str] = []
    while frame is not None and len(names) < _DEPTH:
        names.append(f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    return names[::-1]
