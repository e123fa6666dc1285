"""More requests than one core can serve, for a minute: what still comes through, what a refusal costs, and how soon all is well again."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from bench.compared import row
from bench.load.spec import Expected, Spec
from bench.processes import upstream
from bench.runs import FILLING, checked, fill, run
from bench.scenarios.scenario import Outcome, Scenario, Settings, spec_for
from bench.stand import EMBEDDED, Stand, stand
from bench.topologies.embedded import MESH, embedded
from bench.topologies.target import Target

_TIMES = (1.5, 3.0)
_PARTS = 4
_CLIENTS = 4_000
_LIGHT = 0.25
_RECOVERY_SECONDS = 12.0
_REFUSED = (429, 503)
_WELL = 2.0
"""Recovered: the light load's median is at most so many times what it was before."""


@dataclass(frozen=True, slots=True)
class _Cost:
    """CPU of a refusal, in µs, when nothing else is done: on a connection that is there, and on a new one."""

    on_kept: float
    fresh: float

    def share(self, result: dict[str, Any]) -> float:
        """The refusals' share of all CPU. Every connection that was opened is charged to them."""
        answers = result["requests"] + result["refused"]["count"]
        used = result["cpu_us"][MESH] * answers
        return (result["refused"]["count"] * self.on_kept + result["opened"] * (self.fresh - self.on_kept)) / used if used else 0.0


@dataclass(frozen=True, slots=True)
class _Ground:
    """What an overload is compared with."""

    made: Stand
    target: Target
    closed: Spec
    cost: _Cost

    def at(self, rate: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a spec
        """An open loop at a rate."""
        expected = Expected(refusals=_REFUSED)
        return run(replace(self.closed, rate=rate, connections=_CLIENTS, expected=expected, **more), self.made.folder)

    def peak(self) -> dict[str, Any]:
        """What can be served now: machines are noisy, and change within minutes."""
        return checked(run(self.closed, self.made.folder))

    def memory(self) -> float:
        """What all processes of the mesh have allocated, in MB."""
        return self.target.allocated_mb()


@dataclass(slots=True)
class _Course:
    """An overload in parts, each at a multiple of the peak just before it and compared with the peaks on both of its sides."""

    peaks: list[dict[str, Any]]
    allocated_mb: list[float]
    parts: list[dict[str, Any]] = field(default_factory=list)

    def goodput(self) -> list[float]:
        """Right answers a second by what could be served, of each part."""
        rates = [peak["per_second"] for peak in self.peaks]
        return [part["per_second"] * 2 / sum(around) for part, around in zip(self.parts, pairwise(rates), strict=True)]

    def refused(self, figure: Callable[[dict[str, Any]], float | None]) -> list[float]:
        """A figure of the refusals, of each part that has one."""
        return [value for part in self.parts if (value := figure(part["refused"])) is not None]


def run_overload(settings: Settings) -> Outcome:
    """A refusal by itself; the peak in a closed loop, a light load for comparison, then each overload and the light load again."""
    cost = _cost(settings)
    outcome = Outcome(
        notes=[
            f"open loop, at most {_CLIENTS:,} connections, an arrival without a free one is unsent; latency counts from when it was due",
            (
                f"a refusal costs {cost.on_kept:.0f} µs of CPU on a connection that is kept, {cost.fresh:.0f} µs on a new one, with "
                "a shut door"
            ),
            f"an overload has {_PARTS} parts, each at a multiple of the peak just before it; figures are medians of the parts",
            "goodput is compared with the mean of the peaks just before and after its part, in a closed loop",
            "the memory's growth is of what the process has allocated, without files and libraries, in the second half",
            f"{FILLING:,} requests before fill what is bounded, such as remembered decisions",
        ]
    )
    with stand([EMBEDDED]) as made:
        outcome.absent = made.absent
        target = made.targets[EMBEDDED]
        closed = replace(spec_for(target, made.folder / "requests", settings), seconds=max(3.0, settings.seconds))
        fill(closed, made.folder)
        ground = _Ground(made, target, closed, cost)
        peak = ground.peak()
        outcome.rows.append(row(EMBEDDED, [peak]) | {"kind": "peak, closed loop"})
        light = checked(ground.at(peak["per_second"] * _LIGHT, seconds=4.0))
        for times in _TIMES:
            _overloaded(outcome, ground, times, settings.overload_seconds / _PARTS, light)
    return outcome


def _cost(settings: Settings) -> _Cost:
    with tempfile.TemporaryDirectory(prefix="llm-mesh-bench-") as place:
        folder = Path(place)
        program = (sys.executable, "-m", "bench.profiling.shut")
        with upstream(folder) as provider, embedded(folder, provider.port, program=program, keys=1) as target:
            os.kill(target.processes[MESH][0], signal.SIGUSR1)
            spec = replace(spec_for(target, folder / "requests", settings), expected=Expected(refusals=_REFUSED))
            on_kepted, fresh = (run(replace(spec, fresh=each), folder)["cpu_us"][MESH] for each in (False, True))
            return _Cost(on_kepted, fresh)


def _overloaded(outcome: Outcome, ground: _Ground, times: float, seconds: float, light: dict[str, Any]) -> None:
    course = _Course([ground.peak()], [ground.memory()])
    after: dict[str, Any] = {}
    for number in range(1, _PARTS + 1):
        course.parts.append(ground.at(course.peaks[-1]["per_second"] * times, seconds=seconds, warm_up=2.0))
        course.allocated_mb.append(ground.memory())
        if number == _PARTS:
            after = ground.at(light["per_second"], seconds=_RECOVERY_SECONDS, warm_up=0.0)
        course.peaks.append(ground.peak())
    name, share = f"{times:g} × saturation", median(ground.cost.share(part) for part in course.parts)
    refused = course.refused(lambda each: each["count"] / seconds)
    shown = row(EMBEDDED, course.parts) | {"kind": name, "refused_per_second": median(refused)}
    outcome.rows.append(shown | {"told": _summary(course, share)})
    _judge(outcome, name, course, 0.9 if times == _TIMES[0] else 0.9 * (1 - share))
    soon = light["latency_ms"]["p50"] * _WELL
    recovery = next((second + 1 for second, (_, p50) in enumerate(after["by_second"]) if p50 <= soon), _RECOVERY_SECONDS)
    outcome.at_most(f"{name}: recovery", 5, float(recovery), "s")
    outcome.more[name] = asdict(course) | {"after": after, "refusals_share": share, "goodput": course.goodput()}


def _judge(outcome: Outcome, name: str, course: _Course, goodput: float) -> None:
    late = course.refused(lambda each: each["latency_ms"].get("p99"))
    headers = course.refused(lambda each: each["with_retry_after"] / each["count"] if each["count"] else None)
    outcome.at_least(f"{name}: goodput by the peak", round(goodput, 3), median(course.goodput()), "")
    outcome.at_most(f"{name}: refusals answered, p99", 50, median(late) if late else None, "ms")
    outcome.at_least(f"{name}: refusals with Retry-After", 1, min(headers) if headers else None, "")
    half = _PARTS // 2
    outcome.at_most(f"{name}: memory's growth in the second half", 2, course.allocated_mb[-1] - course.allocated_mb[half], "MB")


def _summary(course: _Course, share: float) -> str:
    goodput, late = course.goodput(), max(part["late_ms"].get("p99", 0.0) for part in course.parts)
    parts = [
        f"goodput of the parts {min(goodput):.2f} to {max(goodput):.2f} of the peak",
        f"{sum(part['unsent'] for part in course.parts)} unsent, sent late by p99 {late:.1f} ms",
        f"{sum(part['opened'] for part in course.parts)} connections opened",
    ]
    if waited := course.refused(lambda each: each["from_sent_ms"].get("p99")):
        parts.append(f"refusals {share:.0%} of CPU, from sent p99 {min(waited):.1f} to {max(waited):.1f} ms")
    statuses = sum((Counter(part["statuses"]) for part in course.parts), Counter[str]())
    return "; ".join([*parts, f"statuses {dict(statuses)}"])


SCENARIO = Scenario("overload", "1.5 and 3 times saturation, in an open loop", run_overload)
