"""Turns sampled stacks into a cost model: CPU by stage of a request. Every sample belongs to exactly one stage, so the stages add up.

A stack belongs to the innermost of our frames that a rule knows; what libraries do counts for whoever of us called them, except the
few that are stages themselves. Samples of other threads belong to the thread.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from llm_mesh.services import SERVICES

Stack = tuple[Sequence[str], float]

LOOP = "event loop: between callbacks, and what no rule knows"
# The first that fits wins, from the innermost frame outwards. Names are `module:qualified.name`.
_RULES: tuple[tuple[str, str], ...] = (
    (r"llm_mesh_runtime\.links\.(remote|mux)\b", "remote links"),
    (r"llm_mesh_runtime\.links\b", "local link"),
    (r"llm_mesh_runtime\.(pipeline|limiter|access|context)\b", "pipeline of a call: access, limits, deadline, metrics"),
    (r"llm_mesh_runtime\.database\b", "stores: hand-over to and from their threads"),
    (r"llm_mesh_runtime\.(metrics|telemetry|log)\b|prometheus_client\b", "metrics"),
    (r"aiohttp\b|llm_mesh_adapter_kit\.(aiohttp_client|http_client|pool|wire)\b", "HTTP client"),
    (r"llm_mesh_runtime\.http\b", "HTTP server"),
    (r"llm_mesh_dialects\b", "translations between dialects"),
    (r"llm_mesh_policy\.(admission|screening|rules|identity)\b|:.*\.Authorize$|:.*\.Admit$", "policy: authorise and admit"),
    (r"llm_mesh_policy.*(reserv|Reserve)", "policy: reserve"),
    (r"llm_mesh_policy.*(settl|Settle)", "policy: settle"),
    (r"llm_mesh_policy\b", "policy: the rest"),
    *((rf"llm_mesh_{each.name}\b", each.name) for each in SERVICES if each.in_mesh and "/" not in each.name),
    (r"llm_mesh_adapter", "adapter"),
)
_COMPILED = tuple((re.compile(pattern), stage) for pattern, stage in _RULES)
MAIN = "MainThread"


def stage_of(stack: Sequence[str]) -> str:
    """The one stage of a stack, whose first element is the thread's name."""
    thread, *frames = stack
    if thread != MAIN:
        return f"thread {thread}" if frames else thread
    for frame in reversed(frames):
        for pattern, stage in _COMPILED:
            if pattern.match(frame) or (stage.startswith("policy") and frame.startswith("llm_mesh_policy") and pattern.search(frame)):
                return stage
    return LOOP


def by_stage(stacks: Iterable[Stack]) -> dict[str, float]:
    """Seconds, the greatest first."""
    shares: dict[str, float] = defaultdict(float)
    for stack, seconds in stacks:
        shares[stage_of(stack)] += seconds
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def by_function(stacks: Iterable[Stack]) -> dict[str, float]:
    """Own seconds of each function, on all threads, the greatest first."""
    shares: dict[str, float] = defaultdict(float)
    for stack, seconds in stacks:
        shares[stack[-1]] += seconds
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def by_package(stacks: Iterable[Stack]) -> dict[str, float]:
    """Own seconds of each package, on all threads; all of it, so that shares add up."""
    shares: dict[str, float] = defaultdict(float)
    for function, seconds in by_function(stacks).items():
        shares[function.split(":")[0].split(".")[0]] += seconds
    return dict(sorted(shares.items(), key=lambda item: -item[1]))
