"""The append-only log: what reached the simulator and what it served, kept apart from everything that the mesh records.

A line is handed to the operating system before the answer that it announces starts, in one write to a file opened for
appending. So it survives a `kill -9` of the process; with `fsync` also a loss of power.
"""

import os
from collections import deque
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import orjson


class Journal:
    """Lines of JSON in a file, and the last of them in memory."""

    def __init__(self, path: Path | None, *, capacity: int = 10_000, fsync: bool = False) -> None:
        self._path = path
        self._fsync = fsync
        self._file: int | None = None
        self._recent: deque[Mapping[str, object]] = deque(maxlen=capacity)

    @property
    def path(self) -> Path | None:
        """The file; None when the log is kept in memory only."""
        return self._path

    def open(self) -> None:
        """Opens the file, if there is to be one; its directory is made."""
        if self._path is not None and self._file is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def append(self, entry: Mapping[str, object]) -> None:
        """Adds one line."""
        self._recent.append(entry)
        if self._file is not None:
            os.write(self._file, orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))
            if self._fsync:
                os.fsync(self._file)

    def recent(self, limit: int, **equal: str) -> list[Mapping[str, object]]:
        """The last entries, oldest first, of those that have these values."""
        matching = (entry for entry in reversed(self._recent) if all(str(entry.get(key)) == value for key, value in equal.items()))
        return list(islice(matching, limit))[::-1]

    def forget(self) -> None:
        """Empties the memory; the file stays as it is."""
        self._recent.clear()

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
