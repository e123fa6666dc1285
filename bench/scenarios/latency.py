"""What the mesh adds to a provider that takes 20 ms, at 16 in flight."""

from __future__ import annotations

from bench.behaviour import Behaviour
from bench.compared import compared
from bench.scenarios.scenario import Found, Scenario, Settings, less, row_of, wanted
from bench.stand import DIRECT, EMBEDDED, GRPC, MUX, PASS, stand

_SLOW = Behaviour(delay=20)


def run(settings: Settings) -> Found:
    """Direct calls of the same passes are the base."""
    found = Found()
    meshes = [name for name in (EMBEDDED, GRPC, MUX) if not settings.meshes or name in settings.meshes]
    with stand([DIRECT, PASS, *meshes]) as made:
        found.absent = made.absent
        found.rows = compared(
            made,
            list(made.targets),
            lambda target, place: wanted(target, place, settings, behaviour=_SLOW, connections=16),
            settings.passes,
        )
    base = row_of(found.rows, DIRECT)
    for row in found.rows:
        row["added_p50_ms"], row["added_p99_ms"] = (less(row.get(name), base.get(name)) for name in ("p50_ms", "p99_ms"))
    for name, p50, p99 in ((EMBEDDED, 1.5, 5), (MUX, 5, 15)):
        row = dict(row_of(found.rows, name))
        found.at_most(f"{name}: added p50, 16 in flight, 20 ms upstream", p50, row.get("added_p50_ms"), "ms")
        found.at_most(f"{name}: added p99", p99, row.get("added_p99_ms"), "ms")
    return found


SCENARIO = Scenario("latency", "1 KB, whole, from an upstream that takes 20 ms, 16 in flight", run, quick=True)
