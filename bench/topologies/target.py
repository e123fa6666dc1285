"""What every arrangement gives a scenario: where to send requests, with which keys, and whose CPU and memory to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.proc import allocated_mb, memory_mb


@dataclass(frozen=True, slots=True)
class Target:
    """One arrangement that serves."""

    name: str
    port: int
    host: str = "127.0.0.1"
    keys: Sequence[str] = ("none",)
    processes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Process ids by name; empty for direct calls."""
    started_seconds: float = 0.0
    model: str = "sim-echo"
    path: str = "/v1/chat/completions"
    headers: tuple[tuple[str, str], ...] = ()
    tokens: bool = True
    """Whether it passes on the provider's usage."""
    notes: tuple[str, ...] = ()
    regroups: bool = False
    """Streams come in other pieces than the provider's."""
    slow: bool = False
    """Needs a longer warm-up and longer passes: it compiles itself while it runs, or answers few requests in a second."""
    grpc: str = ""
    """The public gRPC listener, where it is a mesh in one process."""
    admin: str = ""
    """An administrator's key, likewise."""

    @property
    def pids(self) -> tuple[int, ...]:
        """All of its processes."""
        return tuple(pid for pids in self.processes.values() for pid in pids)

    def memory_mb(self) -> dict[str, float]:
        """By process."""
        return {name: memory_mb(pids) for name, pids in self.processes.items()}

    def allocated_mb(self) -> float:
        """What all have allocated: it is what grows, where anything is retained."""
        return allocated_mb(self.pids)


class AbsentError(Exception):
    """An arrangement cannot be had in this build or on this machine, and why."""
