"""The cost model: CPU of the embedded mesh by stage of a request, by package and by thread; and what the local link costs alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace

from bench.processes import LOAD_CORE, MESH_CORE, await_true, pinned
from bench.profiling.stages import by_function, by_package, by_stage
from bench.runs import checked, run
from bench.scenarios.scenario import Outcome, Scenario, Settings, spec_for
from bench.stand import stand
from bench.topologies.embedded import MESH, embedded

_SECONDS = 8.0
_FUNCTIONS = 40


def run_costs(settings: Settings) -> Outcome:
    """An uninstrumented run says how much; a sampled one says where. The shares of the second are applied to the first."""
    outcome = Outcome()
    with stand([]) as made:
        plain, sampled = made.folder / "plain", made.folder / "sampled"
        plain.mkdir()
        sampled.mkdir()
        output = sampled / "profile"
        with embedded(plain, made.upstream.port) as target:
            spec = spec_for(target, made.folder / "requests", settings)
            whole = checked(run(spec, made.folder))
        with embedded(
            sampled, made.upstream.port, program=(sys.executable, "-m", "bench.profiling.program", "sample", str(output))
        ) as target:
            pid = target.processes[MESH][0]
            spec = replace(
                spec_for(target, made.folder / "requests", settings),
                held=True,
                count=int(whole["per_second"] * _SECONDS),
                warm_up_count=500,
            )
            checked(run(spec, made.folder, before=lambda: os.kill(pid, signal.SIGUSR1)))
            os.kill(pid, signal.SIGUSR2)
            await_true(output.exists, sampled / "mesh.log")
            profile = json.loads(output.read_text())
    a_request = whole["cpu_us"][MESH]
    stacks = [(stack, seconds) for stack, seconds in profile["stacks"]]
    total = sum(seconds for _, seconds in stacks)
    for stage, seconds in by_stage(stacks).items():
        if seconds / total >= 0.0005:
            outcome.rows.append({"target": stage, "us": seconds / total * a_request, "share": seconds / total})
    rest = 1 - sum(row["share"] for row in outcome.rows)
    outcome.rows.append({"target": "all others", "us": rest * a_request, "share": rest})
    outcome.rows.append({"target": "**all**", "us": a_request, "share": 1.0})
    outcome.more["packages"] = _shares(by_package(stacks), total, 25)
    outcome.more["functions"] = _shares(by_function(stacks), total, _FUNCTIONS)
    outcome.notes += [
        f"{a_request:.0f} µs of CPU a request without a profiler, at {whole['per_second']:.0f} requests/s and 64 in flight",
        f"shares from {profile['ticks']:,} samples over {profile['seconds']:.1f} s of CPU, one a millisecond of CPU, all threads",
    ]
    return outcome


def _shares(seconds: Mapping[str, float], total: float, most: int) -> dict[str, float]:
    """The greatest, and the rest together, so that they add up."""
    greatest = dict(list(seconds.items())[:most])
    shares = {name: value / total for name, value in greatest.items()}
    return shares | {"all others": 1 - sum(shares.values())}


def run_link(settings: Settings) -> Outcome:
    """In a process of its own on the mesh's core, without HTTP and stores."""
    del settings
    outcome = Outcome()
    command = [sys.executable, "-m", "bench.local_link", "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, preexec_fn=pinned(MESH_CORE if MESH_CORE != LOAD_CORE else None)
    )
    for name, (cpu, _) in json.loads(done.stdout).items():
        outcome.rows.append({"target": name, "us": cpu})
    outcome.at_most("the local link, a call", 12, next(row["us"] for row in outcome.rows if row["target"] == "bare link, unary"), "µs")
    return outcome


COSTS = Scenario("costs", "where the CPU of a request goes, embedded, 64 in flight", run_costs)
LINK = Scenario("local-link", "the local link alone, µs of CPU a call", run_link)
