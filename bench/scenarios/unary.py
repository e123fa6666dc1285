"""Whole answers at once, everything on: the rate of one core and CPU per request, beside peers."""

from __future__ import annotations

from bench.compared import Wanted, compared
from bench.scenarios.scenario import Found, Scenario, Settings, ratio, row_of, wanted
from bench.stand import DIRECT, EMBEDDED, GRPC, MUX, PASS, PEERS, stand

_LOADS = (1, 64)
_FULL = 64


def run(settings: Settings) -> Found:
    """All arrangements in turn at each load; peers and separate processes at the highest only, which is what goals speak of."""
    found = Found()
    meshes = [name for name in (EMBEDDED, GRPC, MUX) if not settings.meshes or name in settings.meshes]
    with stand([DIRECT, PASS, *meshes, *(PEERS if settings.peers else ())]) as made:
        found.absent = made.absent
        for load in _LOADS:
            names = [name for name in made.targets if load == _FULL or name not in {GRPC, MUX, *PEERS}]
            found.rows += [{"in_flight": load} | row for row in compared(made, names, _asking(settings, load), settings.passes)]
        found.more["started_seconds"] = {name: target.started_seconds for name, target in made.targets.items() if target.processes}
        found.notes += [f"{name}: {note}" for name, target in made.targets.items() for note in target.notes]
    _judged(found)
    return found


def _asking(settings: Settings, load: int) -> Wanted:
    return lambda target, place: wanted(target, place, settings, connections=load)


def _judged(found: Found) -> None:
    ours = row_of(found.rows, EMBEDDED, in_flight=_FULL)
    found.at_least("embedded, one worker, 64 in flight", 3500, ours.get("per_second"), "requests/s")
    found.at_most("embedded, CPU", 280, ours.get("cpu_us"), "µs a request")
    for peer, times in (("LiteLLM", 35), ("Portkey", 3), ("TensorZero", 1)):
        theirs = row_of(found.rows, peer, in_flight=_FULL)
        found.at_least(f"CPU of {peer} by ours, embedded", times, ratio(theirs.get("cpu_us"), ours.get("cpu_us")), "×")
        found.at_least(f"our rate by {peer}'s, embedded", times, ratio(ours.get("per_second"), theirs.get("per_second")), "×")
    found.at_least("separate over mux", 2000, row_of(found.rows, MUX, in_flight=_FULL).get("per_second"), "requests/s")
    found.at_least("separate over gRPC", 600, row_of(found.rows, GRPC, in_flight=_FULL).get("per_second"), "requests/s")


SCENARIO = Scenario("unary", "1 KB, answered at once and whole", run, quick=True)
