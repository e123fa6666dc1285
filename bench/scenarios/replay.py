"""A slice of a recorded hour of production traffic: its arrivals, and its lengths in tokens as lengths in words.

The trace is AzurePublicDataset's "Azure LLM inference trace 2023" (CC-BY-4.0), CSV with TIMESTAMP, ContextTokens, GeneratedTokens,
published at github.com/Azure/AzurePublicDataset. It is not part of this repository: `--trace FILE` names it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from bench.behaviour import Behaviour
from bench.compared import row
from bench.load.spec import write_requests
from bench.prompts import body, framed, texts
from bench.runs import run
from bench.scenarios.scenario import Goal, Outcome, Scenario, Settings, spec_for
from bench.stand import DIRECT, EMBEDDED, GRPC, MUX, stand
from bench.topologies.target import Target

_ARRIVALS = 2_000
_SECONDS = 20.0
_LONGEST = 16_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request of the trace."""

    second: float
    context: int
    generated: int


def read(path: Path, count: int) -> list[Arrival]:
    """The first so many; seconds since the first."""
    arrivals: list[Arrival] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line in islice(csv.DictReader(file), count):
            when = datetime.fromisoformat(line["TIMESTAMP"][:26]).timestamp()
            arrivals.append(Arrival(when, int(line["ContextTokens"]), int(line["GeneratedTokens"])))
    begun = arrivals[0].second if arrivals else 0.0
    return [replace(each, second=each.second - begun) for each in arrivals]


def run_trace(settings: Settings) -> Outcome:
    """The arrivals pressed together, so that two thousand take twenty seconds: their bursts stay as they were."""
    outcome = Outcome()
    if not settings.trace:
        outcome.goals.append(Goal("replay of a trace", "right answers", "no --trace FILE was given", reached=None))
        return outcome
    arrivals = read(Path(settings.trace), _ARRIVALS)
    faster = arrivals[-1].second / _SECONDS
    pace = f"{len(arrivals) / _SECONDS:.0f} a second on average"
    outcome.notes += [f"{len(arrivals)} arrivals, {faster:.1f} times as fast as recorded: {pace}"]
    outcome.notes += ["a token is a word here; contexts are cut at 16,000 words", "latency counts from the arrival's time"]
    with stand([DIRECT, EMBEDDED, GRPC, MUX]) as made:
        outcome.absent = made.absent
        for name, target in made.targets.items():
            place = made.folder / f"trace-{len(outcome.rows)}"
            spec = replace(
                spec_for(target, place, settings, connections=2_000),
                requests=str(write_requests(place, _requests(target, arrivals))),
                arrivals=tuple((each.second / faster, number) for number, each in enumerate(arrivals)),
            )
            result = run(spec, made.folder)
            outcome.rows.append(row(name, [result]) | {"unsent": result["unsent"], "unanswered": result["unanswered"]})
    for each in outcome.rows:
        if each["target"] != DIRECT:
            wrong = each["failed"] + each["unsent"] + each["unanswered"]
            outcome.at_most(f"{each['target']}: arrivals without a right answer", 0, float(wrong), "")
    return outcome


def _requests(target: Target, arrivals: Sequence[Arrival]) -> list[bytes]:
    (text,) = texts(1, _LONGEST)
    words, lines = text.split(" "), []
    for number, each in enumerate(arrivals):
        content = f"{number} {' '.join(words[number % 500 : number % 500 + min(each.context, _LONGEST)])}"
        request = body(content, Behaviour(words=each.generated), model=target.model)
        lines.append(framed(request, target.keys[number % len(target.keys)], target.path, target.headers))
    return lines


SCENARIO = Scenario("trace", "a slice of the Azure LLM inference trace of 2023", run_trace)
