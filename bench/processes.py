"""Starts and ends what is measured, each process on its core."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

MESH_CORE, LOAD_CORE = 0, 1
_STARTING_SECONDS = 90.0
_ENDING_SECONDS = 40.0
_POLL = 0.005
_PROVIDER_KEYS = ("_API_KEY", "_API_BASE", "_BASE_URL")


class BrokenOffError(Exception):
    """Something that a measurement needs did not start, or ended."""


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, without settings of a mesh and without keys of providers, so that nobody outside is reached."""
    passed_on = {
        name: value for name, value in os.environ.items() if not name.startswith("LLM_MESH_") and not name.endswith(_PROVIDER_KEYS)
    }
    return passed_on | dict(more or {})


def pinned(core: int | None) -> Callable[[], None]:
    """For `preexec_fn`: on that core, where there is one; None: on any."""
    cores = os.sched_getaffinity(0)
    chosen = {core} if core in cores else cores
    return lambda: os.sched_setaffinity(0, chosen)


@contextmanager
def process(
    command: Sequence[str], core: int | None, *, log: Path, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours on one core, ended with the context, with all that it started."""
    with log.open("ab") as output:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=environment(environ),
            preexec_fn=pinned(core),  # noqa: PLW1509 - no threads here
            process_group=0,
        )
    try:
        yield started
    finally:
        ended(started)


def ended(started: subprocess.Popen[bytes]) -> None:
    """Asked to end, and made to if it does not."""
    started.send_signal(signal.SIGTERM)
    try:
        started.wait(_ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def await_true(
    true: Callable[[], bool], log: Path, started: subprocess.Popen[bytes] | None = None, seconds: float = _STARTING_SECONDS
) -> None:
    """Until it is true; the end of what was started, or of our patience, breaks off."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end or (started is not None and started.poll() is not None):
            raise BrokenOffError(f"it did not start:\n{log.read_text(errors='replace')[-3000:] if log.exists() else '(no log)'}")
        time.sleep(_POLL)


@contextmanager
def upstream(folder: Path) -> Iterator[Upstream]:
    """The fake provider."""
    port = free_port()
    log = folder / f"upstream-{port}.log"
    with process([sys.executable, "-m", "bench.upstream", str(port)], LOAD_CORE, log=log) as started:
        await_true(lambda: b"ready" in log.read_bytes(), log, started)
        yield Upstream(port, started.pid)


class Upstream:
    """Where the fake provider is."""

    def __init__(self, port: int, pid: int) -> None:
        self.port, self.pid = port, pid

    def accepts(self) -> bool:
        """Whether it does."""
        return listens(self.port)


def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody accepts there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return not probe.connect_ex((host, port))
