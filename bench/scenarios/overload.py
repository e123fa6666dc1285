"""More requests than one core can serve, for a minute: what still comes through, what a refusal costs, and how soon all is well again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bench.compared import row
from bench.load.spec import Expected, Spec
from bench.runs import checked, run
from bench.scenarios.scenario import Found, Scenario, Settings, wanted
from bench.stand import EMBEDDED, Stand, stand
from bench.topologies.embedded import MESH
from bench.topologies.target import Target

_TIMES = (1.5, 3.0)
_CLIENTS = 4_000
_LIGHT = 0.25
_RECOVERY_SECONDS = 12.0
_REFUSED = (429, 503)
_WELL = 2.0
"""Recovered: the light load's median is at most so many times what it was before."""


@dataclass(frozen=True, slots=True)
class _Ground:
    """What an overload is compared with."""

    made: Stand
    target: Target
    closed: Spec
    peak: dict[str, Any]
    light_p50: float

    def at(self, times: float, **more: Any) -> Spec:  # noqa: ANN401 - fields of a spec
        """An open loop at so many times the peak."""
        return replace(
            self.closed,
            rate=self.peak["per_second"] * times,
            connections=_CLIENTS,
            expected=Expected(refusals=_REFUSED),
            **more,
        )


def run_overload(settings: Settings) -> Found:
    """The peak in a closed loop, a light load for comparison, then each overload and the light load again."""
    found = Found(
        notes=[
            f"open loop, at most {_CLIENTS:,} connections, an arrival without a free one is unsent; latency counts from when it was due",
            "cost of a refusal: (CPU − right answers × their CPU at the peak) ÷ refusals; the memory's growth is of the second half",
        ]
    )
    with stand([EMBEDDED]) as made:
        found.absent = made.absent
        target = made.targets[EMBEDDED]
        closed = wanted(target, made.folder / "requests", settings)
        peak = checked(run(replace(closed, seconds=max(4.0, settings.seconds)), made.folder))
        found.rows.append(row(EMBEDDED, [peak]) | {"kind": "peak, closed loop"})
        ground = _Ground(made, target, closed, peak, 0.0)
        light = checked(run(ground.at(_LIGHT, seconds=4.0), made.folder))
        ground = replace(ground, light_p50=light["latency_ms"]["p50"])
        for times in _TIMES:
            _overloaded(found, ground, times, settings.overload_seconds / 2)
    return found


def _overloaded(found: Found, ground: _Ground, times: float, half: float) -> None:
    memory, halves = [sum(ground.target.memory_mb().values())], []
    for _ in range(2):
        halves.append(run(ground.at(times, seconds=half, warm_up=2.0), ground.made.folder))
        memory.append(sum(ground.target.memory_mb().values()))
    after = run(ground.at(_LIGHT, seconds=_RECOVERY_SECONDS, warm_up=0.0), ground.made.folder)
    name, result = f"{times:g} × saturation", halves[1]
    refused, good = result["refused"], result["per_second"] / ground.peak["per_second"]
    a_refusal, share = _refusals(result, ground.peak)
    cost = "never came" if a_refusal is None else f"{a_refusal:.0f} µs"
    told = f"{result['unsent']} unsent; a refusal {cost}; statuses {result['statuses']}"
    shown = row(EMBEDDED, [result]) | {"kind": name, "refused_per_second": refused["count"] / result["seconds"]}
    found.rows.append(shown | {"told": told, "memory_mb": memory[-1]})
    recovery = next((second + 1 for second, (_, p50) in enumerate(after["by_second"]) if p50 <= ground.light_p50 * _WELL), None)
    found.at_least(f"{name}: goodput by the peak", round(0.9 if times == _TIMES[0] else 0.9 * (1 - share), 3), good, "")
    found.at_most(f"{name}: refusals answered, p99", 50, refused["latency_ms"].get("p99"), "ms")
    with_header = refused["with_retry_after"] / refused["count"] if refused["count"] else None
    found.at_least(f"{name}: refusals with Retry-After", 1, with_header, "")
    found.at_most(f"{name}: memory's growth in the second half", 2, memory[2] - memory[1], "MB")
    found.at_most(f"{name}: recovery", 5, float(_RECOVERY_SECONDS if recovery is None else recovery), "s")
    found.more[name] = {"halves": halves, "after": after, "memory_mb": memory, "cpu_us_per_refusal": a_refusal, "refusals_share": share}


def _refusals(result: dict[str, Any], peak: dict[str, Any]) -> tuple[float | None, float]:
    """CPU of one, and the share of all; a right answer is taken to cost what it does at the peak."""
    count = result["refused"]["count"]
    if not count:
        return None, 0.0
    used = result["cpu_us"][MESH] * (result["requests"] + count)
    on_refusals = max(0.0, used - result["requests"] * peak["cpu_us"][MESH])
    return on_refusals / count, on_refusals / used if used else 0.0


SCENARIO = Scenario("overload", "1.5 and 3 times saturation, in an open loop", run_overload)
