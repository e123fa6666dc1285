"""Starts what is measured: the embedded mesh on one core, the upstream on the other."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MESH_CORE, LOAD_CORE = 0, 1
_STARTING_SECONDS = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(
    command: Sequence[str], core: int, *, environment: Mapping[str, str] | None = None, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours on one core, ended with the context."""
    cores = os.sched_getaffinity(0)
    chosen = {core} if core in cores else cores
    with log.open("ab") as output:
        started = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
            preexec_fn=lambda: os.sched_setaffinity(0, chosen),  # noqa: PLW1509 - no threads here
        )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@contextmanager
def upstream(folder: Path, *, delay_ms: float = 0) -> Iterator[int]:
    """The provider; gives its port."""
    port = free_port()
    log = folder / f"upstream-{port}.log"
    with process([sys.executable, "-m", "bench.upstream", str(port), str(delay_ms)], LOAD_CORE, log=log):
        _wait(lambda: log.exists() and b"ready" in log.read_bytes(), log)
        yield port


@dataclass(frozen=True, slots=True)
class Running:
    """A mesh that serves."""

    pid: int
    http: int
    grpc: int
    data: Path
    started_seconds: float

    def cpu_seconds(self) -> float:
        """User and system time of the whole process so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mb(self) -> float:
        """The memory that is its own, and its share of what others use too."""
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:"))) / 1024


@contextmanager
def embedded(folder: Path, upstream_port: int, *, profile: Path | None = None) -> Iterator[Running]:
    """The whole mesh in one process, everything on; its simulator endpoint leads to the upstream."""
    data, ready = folder / "data", folder / "ready"
    ready.unlink(missing_ok=True)
    http, grpc = free_port(), free_port()
    environment = {
        "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_SIMULATOR": f"http://127.0.0.1:{upstream_port}/v1",
        "LLM_MESH_SIMULATOR_ADDRESS": f"127.0.0.1:{free_port()}",
        "LLM_MESH_LOG_LEVEL": "warning",
    }
    arguments = ["up", "--data-dir", str(data), "--http", f"127.0.0.1:{http}", "--grpc", f"127.0.0.1:{grpc}", "--ready-file", str(ready)]
    program = ["-m", "llm_mesh_cli"] if profile is None else ["-m", "bench.profiled", str(profile)]
    log = folder / "mesh.log"
    begun = time.monotonic()
    with process([sys.executable, *program, *arguments], MESH_CORE, environment=environment, log=log) as started:
        _wait(ready.exists, log, started)
        yield Running(started.pid, http, grpc, data, time.monotonic() - begun)


def _wait(true: Callable[[], bool], log: Path, started: subprocess.Popen[bytes] | None = None) -> None:
    end = time.monotonic() + _STARTING_SECONDS
    while not true():
        if time.monotonic() > end or (started is not None and started.poll() is not None):
            sys.exit(f"it did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.02)
