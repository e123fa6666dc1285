"""What the mesh adds to a provider that takes 20 ms, at 16 in flight."""

from __future__ import annotations

from bench.behaviour import Behaviour
from bench.compared import compared
from bench.scenarios.scenario import Outcome, Scenario, Settings, less, row_of, spec_for
from bench.stand import DIRECT, EMBEDDED, GRPC, MUX, PASS, stand

_SLOW = Behaviour(delay=20)


def run(settings: Settings) -> Outcome:
    """Direct calls of the same passes are the base."""
    outcome = Outcome()
    meshes = [name for name in (EMBEDDED, GRPC, MUX) if not settings.meshes or name in settings.meshes]
    with stand([DIRECT, PASS, *meshes]) as made:
        outcome.absent = made.absent
        outcome.rows = compared(
            made,
            list(made.targets),
            lambda target, place: spec_for(target, place, settings, behaviour=_SLOW, connections=16),
            settings.passes,
        )
    base = row_of(outcome.rows, DIRECT)
    for row in outcome.rows:
        row["added_p50_ms"], row["added_p99_ms"] = (less(row.get(name), base.get(name)) for name in ("p50_ms", "p99_ms"))
    for name, p50, p99 in ((EMBEDDED, 1.5, 5), (MUX, 5, 15)):
        row = dict(row_of(outcome.rows, name))
        outcome.at_most(f"{name}: added p50, 16 in flight, 20 ms upstream", p50, row.get("added_p50_ms"), "ms")
        outcome.at_most(f"{name}: added p99", p99, row.get("added_p99_ms"), "ms")
    return outcome


SCENARIO = Scenario("latency", "1 KB, whole, from an upstream that takes 20 ms, 16 in flight", run, quick=True)
