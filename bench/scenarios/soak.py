"""Mixed load with cancellations for as long as wanted: whether anything is retained, above all per stream that a client left."""

from __future__ import annotations

from dataclasses import replace

from bench.behaviour import Behaviour
from bench.compared import row
from bench.runs import run, together
from bench.scenarios.scenario import Found, Scenario, Settings, wanted
from bench.stand import EMBEDDED, stand

_STREAM = Behaviour(pace=2, chunks=40)
_LEAVING, _WHOLE, _STREAMED = 16, 4, 4
_SHARE = 0.9
_KIB = 1024


def run_soak(settings: Settings) -> Found:
    """A third to fill what is bounded, then two thirds that must be flat; the last of them is judged."""
    found = Found(
        notes=[f"{settings.soak_seconds:g} s in three parts; the first fills caches and pools that are bounded, and is not judged"]
    )
    with stand([EMBEDDED]) as made:
        found.absent = made.absent
        target = made.targets[EMBEDDED]
        part = settings.soak_seconds / 3
        specs = {
            "leaving": wanted(target, made.folder / "a", settings, behaviour=_STREAM, streamed=True, connections=_LEAVING),
            "streamed": wanted(target, made.folder / "b", settings, behaviour=_STREAM, streamed=True, connections=_STREAMED),
            "whole": wanted(target, made.folder / "c", settings, connections=_WHOLE),
        }
        specs = {name: replace(spec, seconds=part) for name, spec in specs.items()}
        specs["leaving"] = replace(specs["leaving"], cancelled=_SHARE)
        settled = replace(specs["whole"], seconds=1.0, connections=1)
        memory, cancelled = [], []
        for number in range(3):
            results = together(specs, made.folder)
            failed = sum(result["failed"] for result in results.values())
            cancelled.append(results["leaving"]["cancelled"])
            run(settled, made.folder)  # what was left is settled meanwhile
            memory.append(sum(target.memory_mb().values()))
            found.rows.append(
                {"kind": f"part {number + 1}", "target": EMBEDDED, "memory_mb": memory[-1], "failed": failed, "failures": {}}
                | {"told": f"{cancelled[-1]} streams cancelled, {sum(result['requests'] for result in results.values())} right answers"}
            )
            if number == 2:
                found.rows += [row(EMBEDDED, [result]) | {"kind": f"part 3, {name}"} for name, result in results.items()]
                for each in found.rows[-3:]:
                    each.pop("cpu_us", None)  # it would be all generators' requests by one's
    retained = (memory[2] - memory[1]) * _KIB / cancelled[2] if cancelled[2] else None
    found.at_most("retained per cancelled stream", 1, retained, "KiB")
    found.at_most("memory's growth over the last third", 2, memory[2] - memory[1], "MB")
    found.more |= {"memory_mb": memory, "cancelled": cancelled}
    return found


SCENARIO = Scenario("soak", "mixed load, nine in ten of the streams of most clients left after the first chunk", run_soak)
