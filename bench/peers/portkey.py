"""Portkey's open gateway. It would listen on all interfaces: a preloaded file binds it to loopback."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.place import installed
from bench.proc import tree
from bench.processes import MESH_CORE, await_true, free_port, listens, process
from bench.topologies.target import AbsentError, Target

_LOOPBACK = Path(__file__).parent / "portkey_gateway" / "loopback.cjs"


@contextmanager
def serving(folder: Path, upstream_port: int) -> Iterator[Target]:
    """On its core."""
    program = installed("portkey_gateway", "node_modules", "@portkey-ai", "gateway", "build", "start-server.js")
    node = shutil.which("node")
    if node is None:
        raise AbsentError("Portkey needs Node, which is not on this machine")
    port, log = free_port(), folder / "portkey.log"
    begun = time.monotonic()
    with process([node, "--require", str(_LOOPBACK), str(program), f"--port={port}", "--headless"], MESH_CORE, log=log) as started:
        await_true(lambda: listens(port), log, started)
        taken = time.monotonic() - begun
        headers = (("x-portkey-provider", "openai"), ("x-portkey-custom-host", f"http://127.0.0.1:{upstream_port}/v1"))
        notes = ("headless, provider and host by headers, no key of its own",)
        yield Target(
            "Portkey", port, processes={"portkey": tuple(tree(started.pid))}, started_seconds=taken, headers=headers, slow=True, notes=notes
        )
