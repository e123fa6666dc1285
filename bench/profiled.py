"""Runs the command line under a sampling profiler of CPU time, and writes where the main thread was.

python -m bench.profiled OUTPUT up …
"""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

_PERIOD = 0.001
_DEPTH = 60


class Sampler:
    """Counts stacks at each tick of the process's CPU clock."""

    def __init__(self) -> None:
        self.own: Counter[str] = Counter()
        self.within: Counter[str] = Counter()
        self.ticks = 0

    def sample(self, _signal: int, frame: FrameType | None) -> None:
        """One tick."""
        self.ticks += 1
        seen: set[str] = set()
        depth = 0
        while frame is not None and depth < _DEPTH:
            name = _name(frame)
            if not depth:
                self.own[name] += 1
            seen.add(name)
            frame, depth = frame.f_back, depth + 1
        self.within.update(seen)

    def write(self, path: Path) -> None:
        """The result, as JSON."""
        path.write_text(json.dumps({"ticks": self.ticks, "own": self.own.most_common(60), "within": self.within.most_common(120)}))


def _name(frame: FrameType) -> str:
    return f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_qualname}"


def main() -> None:
    """Profiles from SIGUSR1 to SIGUSR2, so that the start is not counted."""
    output = Path(sys.argv.pop(1))
    sampler = Sampler()
    signal.signal(signal.SIGPROF, sampler.sample)

    def start(*_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, _PERIOD, _PERIOD)

    def stop(*_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        sampler.write(output)

    signal.signal(signal.SIGUSR1, start)
    signal.signal(signal.SIGUSR2, stop)
    from llm_mesh_cli.__main__ import main as command  # noqa: PLC0415 - what is profiled

    command()


if __name__ == "__main__":
    main()
