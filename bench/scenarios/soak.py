"""Mixed load with cancellations for as long as wanted: whether anything is retained, above all per stream that a client left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bench.behaviour import Behaviour
from bench.compared import row
from bench.load.spec import Spec
from bench.runs import FILLING, fill, run, together
from bench.scenarios.scenario import Outcome, Scenario, Settings, spec_for
from bench.stand import EMBEDDED, Stand, stand
from bench.topologies.target import Target

_STREAM = Behaviour(pace=2, chunks=40)
_LEAVING, _WHOLE, _STREAMED = 16, 4, 4
_SHARE = 0.9
_KIB = 1024
_PARTS = ("leaving, not judged", "nobody leaves", "leaving")


def run_soak(settings: Settings) -> Outcome:
    """What is bounded is filled; then a third to settle in, a third in which nobody leaves, and the third that is judged."""
    outcome = Outcome(
        notes=[
            f"{FILLING:,} requests fill what is bounded; then {settings.soak_seconds:g} s in three parts, of which the last is judged",
            "memory is what the process has allocated, without files and libraries, read once what clients left is settled",
        ]
    )
    with stand([EMBEDDED]) as made:
        outcome.absent = made.absent
        target = made.targets[EMBEDDED]
        specs = _specs(made, target, settings)
        fill(specs["whole"], made.folder)
        memory = [_settled(made, target, specs["whole"])]
        cancelled: list[int] = []
        results: dict[str, dict[str, Any]] = {}
        for kind in _PARTS:
            leaving = replace(specs["leaving"], cancelled=_SHARE if kind.startswith("leaving") else 0.0)
            results = together(specs | {"leaving": leaving}, made.folder)
            memory.append(_settled(made, target, specs["whole"]))
            cancelled.append(results["leaving"]["cancelled"])
            outcome.rows.append(_part(kind, results) | {"memory_mb": memory[-1]})
        for name, result in results.items():
            each = row(EMBEDDED, [result]) | {"kind": f"the last part, {name}"}
            each.pop("cpu_us", None)  # it would be all generators' requests by one's
            outcome.rows.append(each)
    grown = memory[-1] - memory[-2]
    outcome.notes.append(f"{memory[2] - memory[1]:.2f} MB more in the part in which nobody left")
    outcome.at_most("retained per cancelled stream", 1, grown * _KIB / cancelled[-1] if cancelled[-1] else None, "KiB")
    outcome.at_most("memory's growth over the last third", 2, grown, "MB")
    outcome.more |= {"memory_mb": memory, "cancelled": cancelled}
    return outcome


def _specs(made: Stand, target: Target, settings: Settings) -> dict[str, Spec]:
    part = settings.soak_seconds / len(_PARTS)
    specs = {
        "leaving": spec_for(target, made.folder / "a", settings, behaviour=_STREAM, streamed=True, connections=_LEAVING),
        "streamed": spec_for(target, made.folder / "b", settings, behaviour=_STREAM, streamed=True, connections=_STREAMED),
        "whole": spec_for(target, made.folder / "c", settings, connections=_WHOLE),
    }
    return {name: replace(spec, seconds=part) for name, spec in specs.items()}


def _settled(made: Stand, target: Target, whole: Spec) -> float:
    """The memory, once a client alone was served for a while: what was left is settled meanwhile."""
    run(replace(whole, seconds=3.0, connections=1), made.folder)
    return target.allocated_mb()


def _part(kind: str, results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    failures: dict[str, int] = {}
    for result in results.values():
        for why, count in result["failures"].items():
            failures[why] = failures.get(why, 0) + count
    summary = f"{results['leaving']['cancelled']} streams cancelled, {sum(result['requests'] for result in results.values())} right answers"
    return {"kind": kind, "target": EMBEDDED, "failed": sum(failures.values()), "failures": failures, "told": summary}


SCENARIO = Scenario("soak", "mixed load, nine in ten of the streams of most clients left after the first chunk", run_soak)
