"""What a running mesh enters for one request, and for one chunk of a stream."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 90.0
WARM_UP_REQUESTS = 5
SLOW_STREAM = "sim-slow"
PIECES_BEFORE, PIECES_DURING = 5, 10
Entered = set[tuple[str, str]]


def entered(folder: Path) -> tuple[Entered, Entered]:
    """The functions of ours that a chat request enters, and those that a chunk does; projections that follow an answer included."""
    with mesh(folder) as (process, port, key):
        for _ in range(WARM_UP_REQUESTS):
            ask(port, key, "sim-words").read()
        idle = between(process, folder, lambda: None)
        request = between(process, folder, lambda: ask(port, key, "sim-words").read())
        stream = ask(port, key, SLOW_STREAM, stream=True)
        events(stream, PIECES_BEFORE)
        chunk = between(process, folder, lambda: events(stream, PIECES_DURING), after=0)
    return request - idle, chunk - idle


@contextmanager
def mesh(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, str]]:
    """A traced mesh: its process, its HTTP port and a project's key."""
    data, ready = folder / "data", folder / "ready"
    http_port, grpc_port, simulator_port = (free_port() for _ in range(3))
    words = [
        "up",
        "--data-dir",
        str(data),
        "--http",
        f"127.0.0.1:{http_port}",
        "--grpc",
        f"127.0.0.1:{grpc_port}",
        "--ready-file",
        str(ready),
        "--quiet",
    ]
    environ = {**os.environ, "LLM_MESH_SIMULATOR_ADDRESS": f"127.0.0.1:{simulator_port}", "LLM_MESH_LATENESS": "60s"}
    command = [sys.executable, "-m", "tools.house.traced", str(folder / "entered.json"), *words]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log) as process:
        try:
            await_true(ready.exists)
            yield process, http_port, (data / "project.key").read_text().strip()
        finally:
            process.terminate()


def between(process: subprocess.Popen[bytes], folder: Path, act: Callable[[], object], *, after: float = 1.0) -> Entered:
    """What the mesh enters while something is done, and in the seconds after it."""
    file = folder / "entered.json"
    file.unlink(missing_ok=True)
    process.send_signal(signal.SIGUSR1)
    act()
    time.sleep(after)
    process.send_signal(signal.SIGUSR2)
    await_true(file.exists)
    return {(name, function) for name, function in json.loads(file.read_text())}


def ask(port: int, key: str, model: str, *, stream: bool = False) -> http.client.HTTPResponse:
    """One chat request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "stream": stream}
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    response = connection.getresponse()
    if response.status != http.HTTPStatus.OK:
        raise SystemExit(f"house: {response.status} {response.read().decode()}")
    return response


def events(response: http.client.HTTPResponse, count: int) -> None:
    """Read so many events of a stream."""
    while count:
        count -= response.readline().startswith(b"data:")


def free_port() -> int:
    """A port that nobody has at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def await_true(condition: Callable[[], bool]) -> None:
    """Wait, but not for ever."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise SystemExit("house: the mesh did not answer in time; see its log")
        time.sleep(0.05)
