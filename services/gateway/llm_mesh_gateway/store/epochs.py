"""Epochs that began in this data directory, so that a restart can say which ones have certainly ended.

An epoch is written down before it is used, and struck out only once policy has been told: a crash in between loses none.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

_MOST = 100


class FileEpochs:
    """One epoch per line. `left` are files of others that have certainly ended, whose epochs are taken over."""

    def __init__(self, path: Path, left: Sequence[Path] = ()) -> None:
        self._path = path
        self._left = left

    def begun(self, epoch: str) -> Sequence[str]:
        earlier = [line for path in (*self._left, self._path) for line in _read(path)]
        self._write([*earlier, epoch])
        for path in self._left:
            path.unlink(missing_ok=True)
        return earlier

    def replaced(self, epoch: str) -> None:
        self._write([epoch])

    def _write(self, epochs: Sequence[str]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="ascii") as file:
            file.write("\n".join(epochs) + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def _read(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="ascii", errors="replace").split() if line.isalnum()][-_MOST:]
    except FileNotFoundError:
        return []


class ForgottenEpochs:
    """For gateways without a place of their own: the leases of earlier starts run out by themselves."""

    def begun(self, epoch: str) -> Sequence[str]:
        del epoch
        return ()

    def replaced(self, epoch: str) -> None:
        del epoch
