"""The log as a port: what the simulator notes of each request, wherever it is kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class Log(Protocol):
    """Takes entries in their order, and never changes one."""

    @property
    def path(self) -> Path | None:
        """The file that holds it; None when only memory does."""
        ...

    def open(self) -> None:
        """Makes ready to take entries; opening it again does nothing."""
        ...

    def append(self, entry: Mapping[str, object]) -> None:
        """Takes an entry, which is out of the process's hands on return."""
        ...

    def recent(self, limit: int, **equal: str) -> list[Mapping[str, object]]:
        """The last entries, oldest first, of those that have these values."""
        ...

    def forget(self) -> None:
        """Empties the memory, not the file."""
        ...

    def close(self) -> None:
        """Takes no more entries."""
        ...
