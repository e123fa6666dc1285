"""How much one call in a child process may use. Light, since child processes load it."""

from __future__ import annotations

from typing import NamedTuple


class LimitReachedError(Exception):
    """A call has used more than it may. `limit` is `cpu`, `time`, `memory` or `depth`."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


class ProcessLimits(NamedTuple):
    """The limits of one call."""

    cpu: float = 0.25
    """CPU time in seconds."""
    wall: float = 10.0
    """Time on the clock in seconds, for a child that waits for a CPU."""
    memory: int = 128 * 1024 * 1024
    """Bytes of address space beyond what the child needs by itself."""

    def text(self) -> str:
        """For the command line of a child."""
        return f"{self.cpu!r},{self.wall!r},{self.memory}"

    @classmethod
    def of_text(cls, text: str) -> ProcessLimits:
        """What `text` wrote."""
        cpu, wall, memory = text.split(",")
        return cls(float(cpu), float(wall), int(memory))
