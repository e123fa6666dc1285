"""LiteLLM's proxy as its documentation starts it: one worker, a master key, no database."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.place import installed
from bench.proc import tree
from bench.processes import MESH_CORE, await_true, free_port, listens, process
from bench.topologies.target import Target

_CONFIGURATION = """\
model_list:
  - model_name: sim-echo
    litellm_params: {{ model: openai/bench, api_base: "http://127.0.0.1:{upstream}/v1", api_key: none }}
litellm_settings: {{ telemetry: false }}
general_settings: {{ master_key: {key} }}
"""
_OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "NO_PROXY": "*"}


@contextmanager
def serving(folder: Path, upstream_port: int) -> Iterator[Target]:
    """On its core."""
    program = installed("litellm_proxy", "bin", "litellm")
    port, key, log, configuration = free_port(), f"sk-{secrets.token_hex(24)}", folder / "litellm.log", folder / "litellm.yaml"
    configuration.write_text(_CONFIGURATION.format(upstream=upstream_port, key=key))
    command = [str(program), "--config", str(configuration), "--host", "127.0.0.1", "--port", str(port)]
    begun = time.monotonic()
    with process(command, MESH_CORE, log=log, environ=_OFFLINE) as started:
        await_true(lambda: listens(port), log, started)
        taken = time.monotonic() - begun
        notes = ("uvicorn, one worker, master key, no database, telemetry off, prices from its own package",)
        yield Target(
            "LiteLLM", port, keys=(key,), processes={"litellm": tuple(tree(started.pid))}, started_seconds=taken, slow=True, notes=notes
        )
