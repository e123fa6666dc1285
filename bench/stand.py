"""What a scenario is run on: the fake upstream, and each arrangement that it wants and that this build and machine have."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.peers import bifrost, litellm, portkey, tensorzero
from bench.processes import MESH_CORE, BrokenOffError, Upstream, await_true, free_port, process, upstream
from bench.topologies.embedded import embedded, has_workers
from bench.topologies.separate import refused, separate
from bench.topologies.target import AbsentError, Target

DIRECT, PASS, EMBEDDED, SCREENED, WORKERS = "direct", "byte pass-through", "embedded", "embedded, output screened", "embedded, 2 workers"
GRPC, MUX = "separate, gRPC", "separate, mux"
MESHES = (EMBEDDED, SCREENED, WORKERS, GRPC, MUX)
PEERS = ("LiteLLM", "Portkey", "TensorZero", "Bifrost")

Made = Callable[[Path, int], AbstractContextManager[Target]]


@contextmanager
def direct(folder: Path, upstream_port: int) -> Iterator[Target]:  # noqa: ARG001 (as all of them are made)
    """Straight to the upstream."""
    yield Target(DIRECT, upstream_port)


@contextmanager
def passing(folder: Path, upstream_port: int) -> Iterator[Target]:
    """Bytes passed on."""
    port, log = free_port(), folder / "pass.log"
    with process([sys.executable, "-m", "bench.passthrough", str(port), str(upstream_port)], MESH_CORE, log=log) as started:
        await_true(lambda: b"ready" in log.read_bytes(), log, started)
        yield Target(PASS, port, processes={"pass": (started.pid,)})


@contextmanager
def screened(folder: Path, upstream_port: int) -> Iterator[Target]:
    """Embedded, with answers screened too."""
    with embedded(folder, upstream_port, environ={"LLM_MESH_POLICY_SCREEN_OUTPUT": "true"}) as made:
        yield replace(made, regroups=True)


@contextmanager
def two_workers(folder: Path, upstream_port: int) -> Iterator[Target]:
    """Embedded in two workers, on whatever cores there are: on one core two cannot serve more than one."""
    if not has_workers():
        raise AbsentError("`llm-mesh up --workers` is not available in this build")
    with embedded(folder, upstream_port, workers=2, core=None) as made:
        yield made


@contextmanager
def multiplexed(folder: Path, upstream_port: int) -> Iterator[Target]:
    """Separate processes over the batched stream."""
    if why := refused("mux+dns"):
        raise AbsentError(why)
    with separate(folder, upstream_port, scheme="mux+dns") as made:
        yield made


ARRANGEMENTS: Mapping[str, Made] = {
    DIRECT: direct,
    PASS: passing,
    EMBEDDED: embedded,
    SCREENED: screened,
    WORKERS: two_workers,
    GRPC: separate,
    MUX: multiplexed,
    "LiteLLM": litellm.serving,
    "Portkey": portkey.serving,
    "TensorZero": tensorzero.serving,
    "Bifrost": bifrost.serving,
}


@dataclass(slots=True)
class Stand:
    """Everything that runs."""

    folder: Path
    upstream: Upstream
    targets: dict[str, Target] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    """Why an arrangement is not there."""


@contextmanager
def stand(names: Sequence[str]) -> Iterator[Stand]:
    """Starts what is wanted; what cannot be had is said, not left out silently."""
    with tempfile.TemporaryDirectory(prefix="llm-mesh-bench-") as place, ExitStack() as stack:
        folder = Path(place)
        made = Stand(folder, stack.enter_context(upstream(folder)))
        for number, name in enumerate(names):
            own = folder / str(number)
            own.mkdir()
            try:
                made.targets[name] = stack.enter_context(ARRANGEMENTS[name](own, made.upstream.port))
            except (AbsentError, BrokenOffError) as why:
                made.absent[name] = str(why)
                print(f"!! {name} is not measured: {why}", flush=True)
        yield made
