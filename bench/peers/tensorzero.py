"""TensorZero's Rust gateway. Its program is not in the Python registry, so it runs as its own package embeds it: the same HTTP gateway."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.place import installed
from bench.proc import tree
from bench.processes import MESH_CORE, await_true, process
from bench.topologies.target import Target

_CONFIGURATION = """\
[gateway]
observability.enabled = false

[models.bench]
routing = ["bench"]

[models.bench.providers.bench]
type = "openai"
model_name = "bench"
api_base = "http://127.0.0.1:{upstream}/v1/"
api_key_location = "none"
"""
_PROGRAM = """\
import signal, sys
from openai import OpenAI
from tensorzero import patch_openai_client
client = patch_openai_client(OpenAI(api_key="none"), config_file=sys.argv[1], async_setup=False)
print("serves", client.base_url, flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.pause()
"""
_SERVES = re.compile(rb"serves http://127\.0\.0\.1:(\d+)(/[^ \n]*)")


@contextmanager
def serving(folder: Path, upstream_port: int) -> Iterator[Target]:
    """On its core."""
    python = installed("tensorzero_gateway", "bin", "python")
    log, configuration = folder / "tensorzero.log", folder / "tensorzero.toml"
    configuration.write_text(_CONFIGURATION.format(upstream=upstream_port))
    begun = time.monotonic()
    with process([str(python), "-c", _PROGRAM, str(configuration)], MESH_CORE, log=log) as started:
        await_true(lambda: bool(_SERVES.search(log.read_bytes())), log, started)
        taken = time.monotonic() - begun
        match = _SERVES.search(log.read_bytes())
        assert match  # noqa: S101 - awaited above
        yield Target(
            "TensorZero",
            int(match[1]),
            processes={"tensorzero": tuple(tree(started.pid))},
            started_seconds=taken,
            model="tensorzero::model_name::bench",
            path=f"{match[2].decode().rstrip('/')}/chat/completions",
            notes=("embedded in a Python process that does nothing else, observability off, no key of its own",),
        )
