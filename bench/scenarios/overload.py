"""More requests than one core can serve, for a minute: what still comes through, what a refusal costs, and how soon all is well again."""

from __future__ import annotations

import os
import signal
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.compared import row
from bench.load.spec import Expected, Spec
from bench.processes import upstream
from bench.runs import FILLING, checked, fill, run
from bench.scenarios.scenario import Found, Scenario, Settings, wanted
from bench.stand import EMBEDDED, Stand, stand
from bench.topologies.embedded import MESH, embedded
from bench.topologies.target import Target

_TIMES = (1.5, 3.0)
_CLIENTS = 4_000
_LIGHT = 0.25
_RECOVERY_SECONDS = 12.0
_REFUSED = (429, 503)
_WELL = 2.0
"""Recovered: the light load's median is at most so many times what it was before."""


@dataclass(frozen=True, slots=True)
class _Cost:
    """CPU of a refusal, in µs, when nothing else is done: on a connection that is there, and on a new one."""

    kept: float
    fresh: float

    def share(self, result: dict[str, Any]) -> float:
        """The refusals' share of all CPU. Every connection that was opened is charged to them."""
        answers = result["requests"] + result["refused"]["count"]
        used = result["cpu_us"][MESH] * answers
        return (result["refused"]["count"] * self.kept + result["opened"] * (self.fresh - self.kept)) / used if used else 0.0


@dataclass(frozen=True, slots=True)
class _Ground:
    """What an overload is compared with."""

    made: Stand
    target: Target
    closed: Spec
    cost: _Cost
    rate: float
    """The first peak, of which overloads are multiples."""
    light_p50: float = 0.0

    def at(self, times: float, **more: Any) -> Spec:  # noqa: ANN401 - fields of a spec
        """An open loop at so many times the peak."""
        return replace(
            self.closed,
            rate=self.rate * times,
            connections=_CLIENTS,
            expected=Expected(refusals=_REFUSED),
            **more,
        )

    def peak(self) -> dict[str, Any]:
        """What can be served now: machines are noisy, and change over minutes."""
        return checked(run(self.closed, self.made.folder))


def run_overload(settings: Settings) -> Found:
    """A refusal by itself; the peak in a closed loop, a light load for comparison, then each overload and the light load again."""
    cost = _cost(settings)
    found = Found(
        notes=[
            f"open loop, at most {_CLIENTS:,} connections, an arrival without a free one is unsent; latency counts from when it was due",
            f"a refusal costs {cost.kept:.0f} µs of CPU on a connection that is kept, {cost.fresh:.0f} µs on a new one, with a shut door",
            "the peak that goodput is compared with is the mean of one just before and one just after the overload",
            f"the memory's growth is of the second half; {FILLING:,} requests before fill what is bounded, such as remembered decisions",
        ]
    )
    with stand([EMBEDDED]) as made:
        found.absent = made.absent
        target = made.targets[EMBEDDED]
        closed = replace(wanted(target, made.folder / "requests", settings), seconds=max(4.0, settings.seconds))
        fill(closed, made.folder)
        ground = _Ground(made, target, closed, cost, 0.0)
        peak = ground.peak()
        found.rows.append(row(EMBEDDED, [peak]) | {"kind": "peak, closed loop"})
        ground = replace(ground, rate=peak["per_second"])
        light = checked(run(ground.at(_LIGHT, seconds=4.0), made.folder))
        ground = replace(ground, light_p50=light["latency_ms"]["p50"])
        for times in _TIMES:
            _overloaded(found, ground, times, settings.overload_seconds / 2)
    return found


def _cost(settings: Settings) -> _Cost:
    with tempfile.TemporaryDirectory(prefix="llm-mesh-bench-") as place:
        folder = Path(place)
        program = ("-m", "bench.profiling.shut")
        with upstream(folder) as provider, embedded(folder, provider.port, program=program, keys=1) as target:
            os.kill(target.processes[MESH][0], signal.SIGUSR1)
            spec = replace(wanted(target, folder / "requests", settings), expected=Expected(refusals=_REFUSED))
            kept, fresh = (run(replace(spec, fresh=each), folder)["cpu_us"][MESH] for each in (False, True))
            return _Cost(kept, fresh)


def _overloaded(found: Found, ground: _Ground, times: float, half: float) -> None:
    memory, halves, before = [sum(ground.target.memory_mb().values())], [], ground.peak()
    for _ in range(2):
        halves.append(run(ground.at(times, seconds=half, warm_up=2.0), ground.made.folder))
        memory.append(sum(ground.target.memory_mb().values()))
    after = run(ground.at(_LIGHT, seconds=_RECOVERY_SECONDS, warm_up=0.0), ground.made.folder)
    peak = (before["per_second"] + ground.peak()["per_second"]) / 2
    name, result = f"{times:g} × saturation", halves[1]
    refused, good = result["refused"], result["per_second"] / peak
    share = ground.cost.share(result)
    shown = row(EMBEDDED, [result]) | {"kind": name, "refused_per_second": refused["count"] / result["seconds"]}
    found.rows.append(shown | {"told": _told(result, share), "memory_mb": memory[-1]})
    recovery = next((second + 1 for second, (_, p50) in enumerate(after["by_second"]) if p50 <= ground.light_p50 * _WELL), None)
    found.at_least(f"{name}: goodput by the peak", round(0.9 if times == _TIMES[0] else 0.9 * (1 - share), 3), good, "")
    found.at_most(f"{name}: refusals answered, p99", 50, refused["latency_ms"].get("p99"), "ms")
    with_header = refused["with_retry_after"] / refused["count"] if refused["count"] else None
    found.at_least(f"{name}: refusals with Retry-After", 1, with_header, "")
    found.at_most(f"{name}: memory's growth in the second half", 2, memory[2] - memory[1], "MB")
    found.at_most(f"{name}: recovery", 5, float(_RECOVERY_SECONDS if recovery is None else recovery), "s")
    found.more[name] = {"halves": halves, "after": after, "memory_mb": memory, "refusals_share": share, "peak": peak}


def _told(result: dict[str, Any], share: float) -> str:
    parts = [
        f"{result['unsent']} unsent, sent late by p99 {result['late_ms'].get('p99', 0.0):.1f} ms",
        f"{result['opened']} connections opened",
    ]
    if from_sent := result["refused"]["from_sent_ms"]:
        parts.append(f"refusals {share:.0%} of CPU, from sent p99 {from_sent['p99']:.1f} ms")
    return "; ".join([*parts, f"statuses {result['statuses']}"])


SCENARIO = Scenario("overload", "1.5 and 3 times saturation, in an open loop", run_overload)
