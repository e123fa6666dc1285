"""Streams of 100 chunks: in one burst, and paced; CPU per chunk, time to the first token, jitter at half load; output screened too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.behaviour import CHUNKS, USUAL, Behaviour
from bench.compared import compared
from bench.load.spec import Spec
from bench.scenarios.scenario import Outcome, Scenario, Settings, less, ratio, row_of, spec_for
from bench.stand import DIRECT, EMBEDDED, GRPC, MUX, PASS, PEERS, SCREENED, Stand, stand
from bench.topologies.target import Target

_PACE = Behaviour(delay=20, pace=10)
_PACED_SECONDS = 3.0
_STREAM_SECONDS = (_PACE.delay + _PACE.pace * CHUNKS) / 1000
_BURST_LOAD, _PACED_LOAD = 16, 8
_MOST_STREAMS = 120


def run(settings: Settings) -> Outcome:
    """Bursts beside peers; paced beside a pass-through; jitter at the load that takes half of the core."""
    outcome = Outcome()
    meshes = [name for name in (EMBEDDED, SCREENED, GRPC, MUX) if not settings.meshes or name in settings.meshes]
    with stand([DIRECT, PASS, *meshes, *(PEERS if settings.peers else ())]) as made:
        outcome.absent = made.absent
        outcome.rows += _rows(made, settings, "burst", USUAL, dict.fromkeys(made.targets, _BURST_LOAD))
        ours = [name for name in made.targets if name not in PEERS]
        longer = replace(settings, seconds=max(settings.seconds, _PACED_SECONDS))  # a stream takes a second
        paced = _rows(made, longer, "paced", _PACE, dict.fromkeys(ours, _PACED_LOAD))
        outcome.rows += paced
        loads = {row["target"]: _half(row) for row in paced}
        loads[DIRECT] = loads.get(EMBEDDED, _PACED_LOAD)  # what generator, upstream and host do to so many streams by themselves
        outcome.rows += _rows(made, longer, "half load", _PACE, loads)
    _judged(outcome)
    return outcome


def _rows(made: Stand, settings: Settings, kind: str, behaviour: Behaviour, loads: dict[str, int]) -> list[dict[str, Any]]:
    stagger = _STREAM_SECONDS if behaviour.pace else 0.0  # streams of equal length that begin at once would begin at once for ever

    def asking(target: Target, place: Path) -> Spec:
        load = loads[_key(made, target)]
        return spec_for(target, place, settings, behaviour=behaviour, streamed=True, connections=load, stagger=stagger)

    rows = compared(made, list(loads), asking, settings.passes)
    for row in rows:
        row |= {"kind": kind, "in_flight": loads[row["target"]]}
    return rows


def _key(made: Stand, target: Any) -> str:  # noqa: ANN401 - identity is all that is asked
    return next(name for name, each in made.targets.items() if each is target)


def _half(row: dict[str, Any]) -> int:
    """So many streams that the arrangement's core is half busy, as measured at a low load."""
    busy = row.get("cpu_us", 0.0) * row.get("per_second", 0.0) / 1e6
    return max(4, min(_MOST_STREAMS, int(_PACED_LOAD * 0.5 / busy))) if busy else _PACED_LOAD


def _judged(outcome: Outcome) -> None:
    for name, limit in ((EMBEDDED, 10), (SCREENED, 10), (MUX, 20)):
        row = row_of(outcome.rows, name, kind="burst")
        outcome.at_most(f"{name}: burst of {CHUNKS} chunks, CPU", limit, row.get("cpu_us_per_chunk"), "µs a chunk")
    base, passed = (row_of(outcome.rows, name, kind="paced") for name in (DIRECT, PASS))
    for name in (EMBEDDED, SCREENED, MUX):
        row = row_of(outcome.rows, name, kind="paced")
        outcome.at_most(
            f"{name}: paced, CPU by a byte pass-through's", 1.5, ratio(row.get("cpu_us_per_chunk"), passed.get("cpu_us_per_chunk")), "×"
        )
        outcome.at_most(f"{name}: paced, time of the stream by a pass-through's", 1.5, ratio(row.get("p50_ms"), passed.get("p50_ms")), "×")
        outcome.at_most(f"{name}: added time to the first token, p50", 1.5, less(row.get("first_p50_ms"), base.get("first_p50_ms")), "ms")
        half = row_of(outcome.rows, name, kind="half load")
        outcome.at_most(f"{name}: jitter between chunks at half load, p99", 5, half.get("jitter_p99_ms"), "ms")


SCENARIO = Scenario(
    "streaming",
    f"streams of {CHUNKS} chunks: in one burst; paced by 10 ms after 20 ms, begun at random moments; the first token is the first text",
    run,
    quick=True,
)
