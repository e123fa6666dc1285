"""A mesh as its users have it: `llm-mesh up` in a process of its own, found by its ready file."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 60.0
_POLL = 0.01
_PROVIDER_KEYS = ("_API_KEY", "_API_BASE", "_BASE_URL")


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without settings of the mesh and keys of providers: tests reach nobody outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LLM_MESH_") and not name.endswith(_PROVIDER_KEYS)}
    return kept | {"LLM_MESH_LATENESS": "2"} | dict(more or {})  # a slow machine of tests is not an overload


@dataclass(frozen=True)
class RunningMesh:
    """One `llm-mesh up`."""

    data_dir: Path
    process: subprocess.Popen[str]
    env: dict[str, str]
    addresses: dict[str, str]
    log: Path
    started_in: float

    @property
    def base_url(self) -> str:
        """What OpenAI's SDK wants."""
        return f"http://{self.addresses['http']}/v1"

    @property
    def http(self) -> str:
        """The edge, without a path."""
        return f"http://{self.addresses['http']}"

    @property
    def grpc(self) -> str:
        """The public gRPC listener."""
        return self.addresses["grpc"]

    @property
    def simulator(self) -> str:
        """The simulator's own address, for its log and behaviours."""
        return f"http://{self.env['LLM_MESH_SIMULATOR_ADDRESS']}"

    @property
    def project_key(self) -> str:
        """The first project's key."""
        return (self.data_dir / "project.key").read_text().strip()

    @property
    def admin_key(self) -> str:
        """The administrator's key."""
        return (self.data_dir / "admin.key").read_text().strip()

    @property
    def authority(self) -> str:
        """The file of the authority that applications check the mesh against; empty where there is no TLS."""
        return self.env.get("LLM_MESH_TLS_CA", "")

    def address(self, service: str) -> str:
        """Where applications reach the public methods of a service; embedded, all have one listener."""
        return self.addresses.get(service, self.grpc)

    def cli(self, *words: str, env: Mapping[str, str] | None = None, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command against this mesh."""
        return llm_mesh(*words, env={**self.env, "LLM_MESH_DATA_DIR": str(self.data_dir), **(env or {})}, stdin=stdin)

    def pids(self) -> list[int]:
        """The processes that this mesh was started as; they may have children."""
        return [self.process.pid]

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_PATIENCE)

    def kill(self) -> None:
        """SIGKILL: nothing is put in order."""
        self.process.kill()
        self.process.wait(_PATIENCE)


def children(process: int) -> list[int]:
    """The ids of the processes that a process has started and that still run, in the order in which they began."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, *rest = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == process and state != "Z":
            found.append((int(rest[17]), int(stat.parent.name)))
    return [child for _, child in sorted(found)]


def llm_mesh(*words: str, env: Mapping[str, str] | None = None, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    command = [sys.executable, "-m", "llm_mesh_cli", *words]
    return subprocess.run(
        command,
        env=dict(env) if env is not None else environment(),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )


@contextmanager
def running(folder: Path, *, env: Mapping[str, str] | None = None, data_dir: Path | None = None) -> Iterator[RunningMesh]:
    """Start a mesh on ephemeral ports, and end it."""
    settings = environment({"LLM_MESH_SIMULATOR_ADDRESS": f"127.0.0.1:{free_port()}", "LLM_MESH_GRACE": "5", **(env or {})})
    data = data_dir or folder / "data"
    ready, log = folder / "ready", folder / "up.log"
    words = ["up", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--data-dir", str(data), "--ready-file", str(ready), "--quiet"]
    begun = time.monotonic()
    with (
        log.open("a") as output,
        subprocess.Popen(
            [sys.executable, "-m", "llm_mesh_cli", *words], env=settings, stdin=subprocess.DEVNULL, stdout=output, stderr=output, text=True
        ) as process,
    ):
        try:
            _await_ready(process, ready, log)
            addresses = json.loads((data / "addresses.json").read_text())
            yield RunningMesh(data, process, settings, addresses, log, time.monotonic() - begun)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(_PATIENCE)
                except subprocess.TimeoutExpired:
                    process.kill()


def _await_ready(process: subprocess.Popen[str], ready: Path, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not ready.exists():
        if process.poll() is not None:
            raise AssertionError(f"llm-mesh up ended with {process.returncode}:\n{log.read_text()}")
        if time.monotonic() > deadline:
            raise AssertionError(f"llm-mesh up is not ready after {_PATIENCE:g} s:\n{log.read_text()}")
        time.sleep(_POLL)
