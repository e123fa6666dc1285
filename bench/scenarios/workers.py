"""Two workers beside one, on all cores that there are: on two cores generator and upstream take their share of both."""

from __future__ import annotations

import os

from bench.compared import compared
from bench.scenarios.scenario import Outcome, Scenario, Settings, ratio, row_of, spec_for
from bench.stand import EMBEDDED, WORKERS, stand

_CORES = 4
"""Two for the workers, one for the generator, one for the upstream: on fewer, one worker has a core of its own and two have not."""


def run(settings: Settings) -> Outcome:
    """At 64 in flight."""
    outcome = Outcome(notes=["one worker on its core; two on both cores, which they share with generator and upstream"])
    with stand([EMBEDDED, WORKERS]) as made:
        outcome.absent = made.absent
        outcome.rows = compared(made, list(made.targets), lambda target, place: spec_for(target, place, settings), settings.passes)
    one, two = (row_of(outcome.rows, name) for name in (EMBEDDED, WORKERS))
    times = ratio(two.get("per_second"), one.get("per_second"))
    if len(os.sched_getaffinity(0)) < _CORES and times is not None:
        outcome.unjudged("two workers' rate by one's", "≥ 1.8 ×", f"{times:.3g} ×, on cores that generator and upstream share")
    else:
        outcome.at_least("two workers' rate by one's", 1.8, times, "×")
    return outcome


SCENARIO = Scenario("workers", "two workers beside one", run)
