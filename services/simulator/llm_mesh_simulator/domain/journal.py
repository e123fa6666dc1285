"""The port of the append-only log, so that what speaks HTTP does not know where lines are kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class Journal(Protocol):
    """Lines of what reached the simulator and what it served."""

    @property
    def path(self) -> Path | None:
        """The file, if there is one."""

    def open(self) -> None:
        """Makes ready to append."""

    def append(self, entry: Mapping[str, object]) -> None:
        """Adds one line, before the answer that it announces starts."""

    def recent(self, limit: int, **equal: str) -> list[Mapping[str, object]]:
        """The last entries, oldest first, of those that have these values."""

    def forget(self) -> None:
        """Forgets what `recent` tells; what is kept for good stays."""

    def close(self) -> None:
        """Ends appending."""
