"""What a run measured: samples, percentiles, and the CPU of all who took part."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.proc import memory_mb, thread_name, thread_seconds

SHARES = (50, 90, 95, 99, 99.9)


def percentiles(samples: Sequence[float], scale: float = 1e3) -> dict[str, float]:
    """By nearest rank; in milliseconds unless said. Empty where there is nothing to tell."""
    if not samples:
        return {}
    ordered = sorted(samples)
    shares = {f"p{share:g}": ordered[max(0, -(-len(ordered) * int(share * 10) // 1000) - 1)] * scale for share in SHARES}
    return shares | {"max": ordered[-1] * scale, "mean": sum(ordered) / len(ordered) * scale}


class Cpu:
    """The CPU of processes between two moments, by thread."""

    def __init__(self, watched: Mapping[str, Sequence[int]]) -> None:
        self._watched = watched
        self._before = self._read()
        self._own = time.process_time()

    def used(self) -> dict[str, dict[str, float]]:
        """Seconds by name of the process, then by `pid/thread (name)`; `generator` is this process."""
        after = self._read()
        usage: dict[str, dict[str, float]] = {"generator": {"all": time.process_time() - self._own}}
        for (name, pid, thread), seconds in after.items():
            spent = seconds - self._before.get((name, pid, thread), 0.0)
            usage.setdefault(name, {})[f"{pid}/{thread} ({thread_name(pid, thread)})"] = spent
        return usage

    def _read(self) -> dict[tuple[str, int, int], float]:
        return {
            (name, pid, thread): seconds
            for name, pids in self._watched.items()
            for pid in pids
            for thread, seconds in thread_seconds(pid).items()
        }


@dataclass(slots=True)
class Figures:
    """Everything that is noted while measuring; nothing is, before and after."""

    watched: Mapping[str, Sequence[int]]
    measuring: bool = False
    latencies: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    jitter: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    refused_sent: list[float] = field(default_factory=list)
    """The same refusals, from when they were sent."""
    late: list[float] = field(default_factory=list)
    """How long after they were due requests were sent; in a closed loop never."""
    opened: int = 0
    retry_after: int = 0
    chunks: int = 0
    cancelled: int = 0
    unsent: int = 0
    unanswered: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: dict[int, list[float]] = field(default_factory=dict)
    """Latencies of right answers by the second in which they came."""
    begun: float = 0.0
    taken: float = 0.0
    cpu: dict[str, dict[str, float]] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    _cpu: Cpu | None = None

    def begin(self) -> None:
        """From now on it counts."""
        self._cpu = Cpu(self.watched)
        self.measuring, self.begun = True, time.perf_counter()

    def end(self) -> None:
        """Until now."""
        self.measuring, self.taken = False, time.perf_counter() - self.begun
        if self._cpu is not None:
            self.cpu = self._cpu.used()
        self.memory = {name: memory_mb(pids) for name, pids in self.watched.items()}

    def good(self, latency: float, first: float) -> None:
        """One right answer."""
        if self.measuring:
            self.latencies.append(latency)
            self.firsts.append(first)
            self.seconds.setdefault(int(time.perf_counter() - self.begun), []).append(latency)

    def result(self) -> dict[str, Any]:
        """As JSON has it."""
        good, refused = len(self.latencies), len(self.refused)
        answers = good + refused
        return {
            "requests": good,
            "failed": sum(self.failures.values()),
            "failures": dict(self.failures),
            "unsent": self.unsent,
            "unanswered": self.unanswered,
            "cancelled": self.cancelled,
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "seconds": self.taken,
            "per_second": good / self.taken if self.taken else 0.0,
            "latency_ms": percentiles(self.latencies),
            "first_ms": percentiles(self.firsts),
            "jitter_ms": percentiles(self.jitter),
            "refused": {
                "count": refused,
                "with_retry_after": self.retry_after,
                "latency_ms": percentiles(self.refused),
                "from_sent_ms": percentiles(self.refused_sent),
            },
            "late_ms": percentiles(self.late),
            "opened": self.opened,
            "cpu_seconds": self.cpu,
            "cpu_us": {name: sum(threads.values()) / answers * 1e6 for name, threads in self.cpu.items()} if answers else {},
            "cpu_us_per_chunk": {name: sum(used.values()) / self.chunks * 1e6 for name, used in self.cpu.items()} if self.chunks else {},
            "memory_mb": self.memory,
            "generator_share": sum(self.cpu.get("generator", {}).values()) / self.taken if self.taken else 0.0,
            "by_second": [[len(times), percentiles(times).get("p50", 0.0)] for _, times in sorted(self.seconds.items())],
        }
