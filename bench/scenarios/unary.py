"""Whole answers at once, everything on: the rate of one core and CPU per request, beside peers."""

from __future__ import annotations

from bench.compared import SpecOf, compared
from bench.scenarios.scenario import Outcome, Scenario, Settings, ratio, row_of, spec_for
from bench.stand import DIRECT, EMBEDDED, GRPC, MUX, PASS, PEERS, stand

_LOADS = (1, 64)
_FULL = 64


def run(settings: Settings) -> Outcome:
    """All arrangements in turn at each load; peers and separate processes at the highest only, which is what goals speak of."""
    outcome = Outcome()
    meshes = [name for name in (EMBEDDED, GRPC, MUX) if not settings.meshes or name in settings.meshes]
    with stand([DIRECT, PASS, *meshes, *(PEERS if settings.peers else ())]) as made:
        outcome.absent = made.absent
        for load in _LOADS:
            names = [name for name in made.targets if load == _FULL or name not in {GRPC, MUX, *PEERS}]
            outcome.rows += [{"in_flight": load} | row for row in compared(made, names, _asking(settings, load), settings.passes)]
        outcome.more["started_seconds"] = {name: target.started_seconds for name, target in made.targets.items() if target.processes}
        outcome.notes += [f"{name}: {note}" for name, target in made.targets.items() for note in target.notes]
    _judged(outcome)
    return outcome


def _asking(settings: Settings, load: int) -> SpecOf:
    return lambda target, place: spec_for(target, place, settings, connections=load)


def _judged(outcome: Outcome) -> None:
    ours = row_of(outcome.rows, EMBEDDED, in_flight=_FULL)
    outcome.at_least("embedded, one worker, 64 in flight", 3500, ours.get("per_second"), "requests/s")
    outcome.at_most("embedded, CPU", 280, ours.get("cpu_us"), "µs a request")
    for peer, times in (("LiteLLM", 35), ("Portkey", 3), ("TensorZero", 1)):
        theirs = row_of(outcome.rows, peer, in_flight=_FULL)
        outcome.at_least(f"CPU of {peer} by ours, embedded", times, ratio(theirs.get("cpu_us"), ours.get("cpu_us")), "×")
        outcome.at_least(f"our rate by {peer}'s, embedded", times, ratio(ours.get("per_second"), theirs.get("per_second")), "×")
    outcome.at_least("separate over mux", 2000, row_of(outcome.rows, MUX, in_flight=_FULL).get("per_second"), "requests/s")
    outcome.at_least("separate over gRPC", 600, row_of(outcome.rows, GRPC, in_flight=_FULL).get("per_second"), "requests/s")


SCENARIO = Scenario("unary", "1 KB, answered at once and whole", run, quick=True)
