"""One process per data directory: two embedded meshes on one set of databases would settle each other's reservations."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from llm_mesh_runtime.private_files import private_folder
from llm_mesh_runtime.start_error import StartError


class DataDirectory:
    """Holds the data directory while the process lives; the system lets go of it even after a crash."""

    def __init__(self, path: Path, *, needed: bool) -> None:
        self._path = path
        self._needed = needed
        self._file = -1

    def __enter__(self) -> Self:
        if self._needed:
            try:
                private_folder(self._path)
                self._file = os.open(self._path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._file)
                raise StartError(f"the data directory {self._path} is in use by another llm-mesh") from None
            except OSError as error:
                raise StartError(f"the data directory {self._path} cannot be used: {error.strerror}") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file >= 0:
            os.close(self._file)
