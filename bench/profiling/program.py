"""Runs the mesh's command line, and profiles it between SIGUSR1 and SIGUSR2, so that neither start nor end counts.

python -m bench.profiling.program sample|calls OUTPUT up …

`sample` takes stacks by CPU time, of all threads; `calls` counts every call of the event loop's thread (cProfile).
"""

from __future__ import annotations

import cProfile
import json
import signal
import sys
import threading
from pathlib import Path
from typing import Protocol

from bench.profiling.sampler import Sampler


class Profiler(Protocol):
    """What can be switched on and off."""

    def start(self) -> None:
        """From now on."""

    def stop(self) -> None:
        """Until now."""

    def write(self, path: Path) -> None:
        """The result."""


class Calls:
    """Every call, Python's and built-in, of the thread that it is started in."""

    def __init__(self) -> None:
        self._profile = cProfile.Profile()

    def start(self) -> None:
        """From now on."""
        self._profile.enable()

    def stop(self) -> None:
        """Until now."""
        self._profile.disable()

    def write(self, path: Path) -> None:
        """As `pstats` reads it."""
        self._profile.dump_stats(path)


def main() -> None:
    """Reads the arguments, and becomes the command line."""
    kind, output = sys.argv.pop(1), Path(sys.argv.pop(1))
    profiler: Profiler = Calls() if kind == "calls" else Sampler()

    def start(*_: object) -> None:
        profiler.start()
        output.with_suffix(".started").touch()

    def stop(*_: object) -> None:
        profiler.stop()
        names = {str(thread.native_id): thread.name for thread in threading.enumerate()}
        output.with_suffix(".threads").write_text(json.dumps(names))
        profiler.write(output.with_suffix(".part"))
        output.with_suffix(".part").rename(output)  # whole at once, for who waits for it

    signal.signal(signal.SIGUSR1, start)
    signal.signal(signal.SIGUSR2, stop)
    from llm_mesh_cli.__main__ import main as command  # noqa: PLC0415 - what is profiled

    command()


if __name__ == "__main__":
    main()
