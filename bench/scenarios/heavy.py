"""Prompts of 100 KB, and tool loops: an answer that asks for a tool, then a request that brings its result."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle
from pathlib import Path

from bench.compared import compared
from bench.load.spec import Expected, Spec, write_requests
from bench.prompts import framed, texts, tool_bodies
from bench.scenarios.scenario import Outcome, Scenario, Settings, spec_for
from bench.stand import DIRECT, EMBEDDED, GRPC, MUX, stand
from bench.topologies.target import Target

_LONG_WORDS = 20_500
_LONG_COUNT = 100
_LOAD = 16
_LOOPS = 500


def run_long(settings: Settings) -> Outcome:
    """A hundred different prompts with a thousand keys."""
    outcome = Outcome(notes=["no goal of the issue: these rows show what long prompts cost"])
    with stand([DIRECT, EMBEDDED, GRPC, MUX]) as made:
        outcome.absent = made.absent
        outcome.rows = compared(
            made,
            list(made.targets),
            lambda target, place: spec_for(target, place, settings, words=_LONG_WORDS, count=_LONG_COUNT, connections=_LOAD),
            settings.passes,
        )
    return outcome


def run_tools(settings: Settings) -> Outcome:
    """Requests with tools, and with their results, in turn; each answer is checked to be the one that fits."""
    outcome = Outcome(notes=["no goal of the issue: these rows show what tools cost; a loop is two requests"])

    def looped(target: Target, place: Path) -> Spec:
        keys = cycle(target.keys)
        requests = [
            framed(each, next(keys), target.path, target.headers)
            for text in texts(_LOOPS)
            for each in tool_bodies(text, model=target.model)
        ]
        spec = spec_for(target, place, settings, connections=_LOAD, count=1)
        return replace(spec, requests=str(write_requests(place, requests)), expected=Expected(tool_loop=True))

    with stand([DIRECT, EMBEDDED, GRPC, MUX]) as made:
        outcome.absent = made.absent
        outcome.rows = compared(made, list(made.targets), looped, settings.passes)
    return outcome


LONG = Scenario("long-prompts", "prompts of 100 KB, whole, 16 in flight", run_long)
TOOLS = Scenario("tool-loops", "a tool is asked for, its result is brought, 16 in flight", run_tools)
