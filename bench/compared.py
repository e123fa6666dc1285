"""Several arrangements side by side: passes in turn, in another order each time, so that all see the same noise."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.load.spec import Spec
from bench.runs import BUSY, run
from bench.stand import Stand
from bench.topologies.target import Target

SpecOf = Callable[[Target, Path], Spec]


def compared(stand: Stand, names: Sequence[str], spec_of: SpecOf, passes: int) -> list[dict[str, Any]]:
    """A row per arrangement that is there."""
    present = [name for name in names if name in stand.targets]
    specs = {name: _spec(stand, name, spec_of) for name in present}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in present}
    for number in range(passes):
        turn = number % len(present) if present else 0
        for name in present[turn:] + present[:turn]:
            rows[name].append(run(specs[name], stand.folder))
    return [row(name, rows[name]) for name in present]


def _spec(stand: Stand, name: str, spec_of: SpecOf) -> Spec:
    place = stand.folder / f"requests-{len(list(stand.folder.glob('requests-*')))}"
    return spec_of(stand.targets[name], place)


def row(name: str, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Medians over the passes, and the highest less the lowest as spread. Without figures where an answer was wrong."""
    failures: dict[str, int] = {}
    for result in results:
        for why, count in result["failures"].items():
            failures[why] = failures.get(why, 0) + count
    summary: dict[str, Any] = {"target": name, "failed": sum(result["failed"] for result in results), "failures": failures}
    if not all(result["requests"] or result["refused"]["count"] for result in results):
        summary["failed"] = summary["failed"] or 1
        summary["failures"] = failures or {"no answer within a pass": 1}
    if summary["failed"]:
        return summary
    for key, read in _READ.items():
        values = [value for result in results if (value := read(result)) is not None]
        if values:
            summary[key] = statistics.median(values)
            summary[f"{key}_spread"] = max(values) - min(values)
    shares: dict[str, list[float]] = {}
    for result in results:
        for process, used in result["cpu_us"].items():
            shares.setdefault(process, []).append(used)
    summary["cpu_us_by_process"] = {process: statistics.median(values) for process, values in shares.items()}
    summary["memory_mb"] = sum(results[-1]["memory_mb"].values())
    if summary["generator_share"] > BUSY:
        summary["warning"] = "the generator's core was full: the rate is a lower bound"
    return summary


def _cpu(unit: str) -> Callable[[Mapping[str, Any]], float | None]:
    def read(result: Mapping[str, Any]) -> float | None:
        used = [value for process, value in result[unit].items() if process != "generator"]
        return sum(used) if used else None

    return read


def _of(*path: str) -> Callable[[Mapping[str, Any]], float | None]:
    def read(result: Mapping[str, Any]) -> float | None:
        value: Any = result
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return None if value is None else float(value)

    return read


_READ: Mapping[str, Callable[[Mapping[str, Any]], float | None]] = {
    "per_second": _of("per_second"),
    "p50_ms": _of("latency_ms", "p50"),
    "p95_ms": _of("latency_ms", "p95"),
    "p99_ms": _of("latency_ms", "p99"),
    "first_p50_ms": _of("first_ms", "p50"),
    "first_p99_ms": _of("first_ms", "p99"),
    "jitter_p50_ms": _of("jitter_ms", "p50"),
    "jitter_p99_ms": _of("jitter_ms", "p99"),
    "refused_p50_ms": _of("refused", "latency_ms", "p50"),
    "refused_p99_ms": _of("refused", "latency_ms", "p99"),
    "cpu_us": _cpu("cpu_us"),
    "cpu_us_per_chunk": _cpu("cpu_us_per_chunk"),
    "generator_share": _of("generator_share"),
}
