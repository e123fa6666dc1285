"""One transaction of policy's store, as slices hand it to each other."""

from __future__ import annotations

from typing import Protocol


class UnitOfWork(Protocol):
    """What slices do in it holds together, or not at all. Each slice's own store knows how to write in it."""

    def now(self) -> int:
        """The store's time in microseconds since 1970 UTC, the same throughout."""
