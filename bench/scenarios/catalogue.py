"""All scenarios, in the order of the report."""

from __future__ import annotations

from bench.scenarios import costs, flood, heavy, hung, latency, overload, replay, slow, soak, starting, streaming, unary, workers
from bench.scenarios.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    unary.SCENARIO,
    costs.COSTS,
    costs.LINK,
    latency.SCENARIO,
    streaming.SCENARIO,
    workers.SCENARIO,
    heavy.LONG,
    heavy.TOOLS,
    flood.SCENARIO,
    hung.SCENARIO,
    replay.SCENARIO,
    overload.SCENARIO,
    slow.SCENARIO,
    soak.SCENARIO,
    starting.SCENARIO,
)
