"""The whole mesh in one process, everything on, as `llm-mesh up` starts it; its simulator endpoint leads to the fake upstream."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from bench.keys import KEYS, make_keys
from bench.proc import tree
from bench.processes import MESH_CORE, await_true, free_port, process
from bench.topologies.target import Target

MESH = "mesh"


@contextmanager
def embedded(
    folder: Path,
    upstream_port: int,
    *,
    program: Sequence[str] = (sys.executable, "-m", "llm_mesh_cli"),
    workers: int = 1,
    keys: int = KEYS,
    environ: Mapping[str, str] | None = None,
    core: int | None = MESH_CORE,
) -> Iterator[Target]:
    """A new mesh, with new keys."""
    data, ready = folder / "data", folder / "ready"
    http, grpc = free_port(), free_port()
    settings = {
        "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_SIMULATOR": f"http://127.0.0.1:{upstream_port}/v1",
        "LLM_MESH_SIMULATOR_ADDRESS": f"127.0.0.1:{free_port()}",
        "LLM_MESH_LOG_LEVEL": "warning",
        **(environ or {}),
    }
    words = ["up", "--data-dir", str(data), "--http", f"127.0.0.1:{http}", "--grpc", f"127.0.0.1:{grpc}", "--ready-file", str(ready)]
    words += ["--quiet"] if workers == 1 else ["--quiet", "--workers", str(workers)]
    log = folder / "mesh.log"
    begun = time.monotonic()
    with process([*program, *words], core, log=log, environ=settings) as started:
        await_true(ready.exists, log, started)
        taken = time.monotonic() - begun
        admin, project = ((data / f"{name}.key").read_text().strip() for name in ("admin", "project"))
        made = asyncio.run(make_keys(f"127.0.0.1:{grpc}", admin, project, keys))
        name = "embedded" if workers == 1 else f"embedded, {workers} workers"
        processes = {MESH: tuple(tree(started.pid))}
        yield Target(name, http, keys=made, processes=processes, started_seconds=taken, grpc=f"127.0.0.1:{grpc}", admin=admin)


@cache
def has_workers() -> bool:
    """Whether this build's `up` knows `--workers`."""
    help_page = subprocess.run([sys.executable, "-m", "llm_mesh_cli", "up", "--help"], capture_output=True, text=True, check=True)
    return "--workers" in help_page.stdout
