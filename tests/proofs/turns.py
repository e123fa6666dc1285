"""Whether any turn of an event loop of a running mesh was too long, as its watchdogs tell: by metric, and with the stack in the logs.

The processor's time is judged, not the wall's: a machine may take the processor away from a mesh that did nothing wrong.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.proofs.http import call
from tests.proofs.stand import Stand

LIMIT = 0.25
"""Seconds of the processor that the loop's own thread may use in one turn."""
HELD = 1.0
"""Seconds for which all threads together may, while the loop waits for the interpreter."""
_LOOK_AGAIN = 0.2
"""A turn is told by the beat after it."""
_SAMPLE = re.compile(r"^llm_mesh_loop_slow_turn_duration_seconds_(bucket|count)\{(.*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_EVENT = "a turn of the event loop was slow"


def too_long(stand: Stand) -> Counter[str]:
    """How many turns were too long, by process and clock. Services that stand alone have no HTTP: their logs tell."""
    text = call(stand.mesh.addresses["http"], "GET", "/metrics").body.decode()
    found: Counter[str] = Counter()
    for kind, labels, value in _SAMPLE.findall(text):
        named = dict(_LABEL.findall(labels))
        clock, limit = named["clock"], named.get("le")
        place = f"{named.get('llm_mesh_process', 'main')} by the clock of the {clock}"
        if (clock, limit) in {("thread", str(LIMIT)), ("process", str(HELD))}:
            found[place] -= int(float(value))
        elif kind == "count" and clock != "wall":
            found[place] += int(float(value))
    return found


def logged(stand: Stand) -> list[dict[str, Any]]:
    """The turns that were too long, as all processes have logged them."""
    files = {stand.mesh.log, *stand.mesh.log.parent.glob("*.log")}
    lines = (line for file in sorted(files) if file.exists() for line in file.read_text(errors="replace").splitlines() if _EVENT in line)
    told = [json.loads(line) for line in lines]
    return [line for line in told if line["thread_seconds"] > LIMIT or line["process_seconds"] > HELD]


@contextmanager
def none_too_long(stand: Stand) -> Iterator[None]:
    """Fails where a turn was too long meanwhile."""
    before, known = too_long(stand), len(logged(stand))
    yield
    time.sleep(_LOOK_AGAIN)
    more, told = too_long(stand) - before, logged(stand)[known:]
    assert not told, f"turns were too long:\n{json.dumps(told, indent=1)}"
    assert not more, f"turns were too long: {dict(more)}"
