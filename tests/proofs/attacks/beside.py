"""What goes on beside an attack: a neighbour that wants to be served, and what the mesh takes of the machine."""

from __future__ import annotations

import contextlib
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.proofs.http import Reply
from tests.proofs.stand import PATIENCE, Stand


class Neighbour(threading.Thread):
    """Asks little things of its own domain, one after the other, and notes what came of each."""

    def __init__(self, ask: Callable[[], Reply]) -> None:
        super().__init__(daemon=True)
        self._ask = ask
        self._over = threading.Event()
        self.statuses: list[int] = []

    def run(self) -> None:
        while not self._over.is_set():
            self.statuses.append(self._ask().status)
            time.sleep(0.05)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(PATIENCE)


class Highest(threading.Thread):
    """The highest of what is measured meanwhile."""

    def __init__(self, measure: Callable[[], int]) -> None:
        super().__init__(daemon=True)
        self._measure = measure
        self._over = threading.Event()
        self.most = 0

    def run(self) -> None:
        while not self._over.wait(0.05):
            self.most = max(self.most, self._measure())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(PATIENCE)


def resident(mesh: Stand) -> int:
    """Bytes of memory that the mesh's processes hold."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            parents[int(stat.parent.name)] = (int(fields[1]), int(fields[21]) * resource.getpagesize())
    family, found = mesh.mesh.pids(), 0
    while family:
        pid = family.pop()
        found += parents.get(pid, (0, 0))[1]
        family += [child for child, (parent, _) in parents.items() if parent == pid]
    return found
