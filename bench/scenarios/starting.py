"""How soon `llm-mesh up` and each service alone serve, and what they hold of memory then."""

from __future__ import annotations

import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench.proc import memory_mb, tree
from bench.processes import MESH_CORE, await_true, environment, free_port, process
from bench.scenarios.scenario import Outcome, Scenario, Settings
from bench.stand import stand
from bench.topologies.embedded import embedded
from llm_mesh.services import SERVICES

_SERVICES = tuple(each.name.replace("/", "-") for each in SERVICES if each.in_mesh)
_PEERS = tuple(each.name.replace("/", "_") for each in SERVICES if each.contracts)
_STATEFUL = tuple(each.name for each in SERVICES if each.database)


def run(settings: Settings) -> Outcome:
    """Each alone on the core, as often as there are passes; medians."""
    outcome = Outcome(
        notes=["from the start of the process to the ready file; a new data directory for `up`, migrated schemas for a service"]
    )
    ups, sizes = [], []
    with stand([]) as made:
        for number in range(settings.passes):
            folder = made.folder / f"up-{number}"
            folder.mkdir()
            with embedded(folder, made.upstream.port, keys=1) as target:
                ups.append(target.started_seconds)
                sizes.append(sum(target.memory_mb().values()))
        outcome.rows.append({"target": "llm-mesh up", "seconds": statistics.median(ups), "memory_mb": statistics.median(sizes)})
        for service in _SERVICES:
            alone = [_alone(service) for _ in range(settings.passes)]
            seconds, memory = (statistics.median(values) for values in zip(*alone, strict=True))
            outcome.rows.append({"target": f"serve {service}", "seconds": seconds, "memory_mb": memory})
    outcome.at_most("`llm-mesh up` is ready", 1.5, outcome.rows[0]["seconds"], "s")
    outcome.at_most("all services in one process", 200, outcome.rows[0]["memory_mb"], "MB")
    slowest = max(outcome.rows[1:], key=lambda each: each["seconds"])
    outcome.at_most(f"one service is ready (the slowest, {slowest['target']})", 0.8, slowest["seconds"], "s")
    return outcome


def _alone(service: str) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="llm-mesh-bench-") as place:
        folder = Path(place)
        settings = _settings(folder)
        if service in _STATEFUL:
            command = [sys.executable, "-m", "llm_mesh_cli", "migrate", service]
            subprocess.run(command, env=environment(settings), check=True, capture_output=True)
        ready, log = folder / "ready", folder / "log"
        begun = time.monotonic()
        with process(
            [sys.executable, "-m", "llm_mesh_cli", "serve", service, "--ready-file", str(ready)], MESH_CORE, log=log, environ=settings
        ) as started:
            await_true(ready.exists, log, started)
            return time.monotonic() - begun, memory_mb(tree(started.pid))


def _settings(folder: Path) -> Mapping[str, str]:
    host = f"127.{secrets.randbelow(128) + 64}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"
    return {
        **{f"LLM_MESH_LINK_{name.upper()}": f"dns:///{host}:9" for name in _PEERS},
        **{f"LLM_MESH_{name.upper()}_DATABASE_URL": f"sqlite:///{folder}/{name}.db" for name in _STATEFUL},
        "LLM_MESH_SECRET": secrets.token_hex(32),
        "LLM_MESH_POLICY_KEY_PEPPER": secrets.token_hex(32),
        "LLM_MESH_LISTEN_HOST": host,
        "LLM_MESH_HTTP": f"{host}:{free_port()}",
        "LLM_MESH_DATA_DIR": str(folder),
        "LLM_MESH_GRACE": "2",
        "LLM_MESH_LOG_LEVEL": "error",
    }


SCENARIO = Scenario("start", "start and memory", run)
