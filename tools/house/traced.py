"""`llm-mesh up` that notes which of our functions run between two signals: SIGUSR1 begins, SIGUSR2 writes them to a file.

python -m tools.house.traced FILE up …
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from llm_mesh_cli.__main__ import main

SERVICES = str(Path(__file__).resolve().parents[2] / "services")
SIMULATOR = f"{SERVICES}/simulator"


class Trace:
    """The functions that were entered while it was on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._on = False
        self._entered: set[tuple[str, str]] = set()

    def begin(self, *_: object) -> None:
        """Note from now on."""
        self._entered.clear()
        self._on = True

    def end(self, *_: object) -> None:
        """Write what was entered, whole or not at all."""
        self._on = False
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps(sorted(self._entered)))
        draft.rename(self._file)

    def call(self, frame: FrameType, event: str, _: object) -> None:
        """Python's hook for every call."""
        if self._on and event == "call":
            code = frame.f_code
            if code.co_filename.startswith(SERVICES) and not code.co_filename.startswith(SIMULATOR):
                self._entered.add((code.co_filename.removeprefix(f"{SERVICES}/"), code.co_qualname))


if __name__ == "__main__":
    trace = Trace(Path(sys.argv.pop(1)))
    signal.signal(signal.SIGUSR1, trace.begin)
    signal.signal(signal.SIGUSR2, trace.end)
    threading.setprofile(trace.call)
    sys.setprofile(trace.call)
    main()
