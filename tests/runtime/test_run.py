"""A hosting process as its operator sees it: ready file, signals, exit codes, one line when it cannot start."""

import asyncio
import importlib
import os
import signal
import socket
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llm_mesh_runtime.host import run
from llm_mesh_runtime.settings import MeshSettings

PROGRAM = """
import sys
from pathlib import Path
from llm_mesh_runtime.host import run
from llm_mesh_runtime.service import HttpApp, Service, Servicers
from llm_mesh_runtime.testing import FakePolicy, NoSettings

async def hold(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"begun ", "more_body": True})
    while not Path(sys.argv[3]).exists():
        import asyncio
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b"finished"})

async def prepare(host):
    assert host.health.serving()
    Path(sys.argv[2] + ".prepared").write_text("yes")

async def close():
    Path(sys.argv[2] + ".closed").write_text("yes")

web = Service("edge", (), NoSettings, lambda settings, links: Servicers(http=HttpApp(hold), close=close))
raise SystemExit(
    run((web, FakePolicy().service()), mode=sys.argv[1], ready_file=Path(sys.argv[2]), prepare=prepare)
)
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Process:
    """A hosting process under test."""

    def __init__(self, folder: Path, mode: str = "embedded", program: str = PROGRAM, **environment: str) -> None:
        self.folder, self.mode, self.program = folder, mode, program
        self.ready, self.go = folder / "ready", folder / "go"
        self.port = free_port()
        self.environment = {
            "PATH": os.environ["PATH"],
            "LLM_MESH_DATA_DIR": str(folder / "data"),
            "LLM_MESH_HTTP": f"127.0.0.1:{self.port}",
            "LLM_MESH_GRPC": f"127.0.0.1:{free_port()}",
            **environment,
        }

    async def start(self) -> asyncio.subprocess.Process:
        arguments = ("-c", self.program, self.mode, str(self.ready), str(self.go))
        return await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env=self.environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )

    async def serving(self) -> None:
        async with asyncio.timeout(20):
            while not self.ready.exists():  # noqa: ASYNC110 (another process writes it)
                await asyncio.sleep(0.01)

    async def draining(self) -> None:
        async with asyncio.timeout(20):
            while self.ready.exists():  # noqa: ASYNC110 (another process removes it)
                await asyncio.sleep(0.01)


async def test_the_ready_file_says_that_everything_serves_and_a_signal_ends_in_order(tmp_path: Path) -> None:
    process = Process(tmp_path)
    running = await process.start()
    await process.serving()
    assert process.ready.read_text(encoding="utf-8").strip() == str(running.pid)
    assert (tmp_path / "ready.prepared").exists()
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    await reader.readuntil(b"begun ")
    running.send_signal(signal.SIGTERM)
    await process.draining()
    assert running.returncode is None
    process.go.write_text("go", encoding="utf-8")
    assert b"finished" in await reader.read()
    writer.close()
    async with asyncio.timeout(10):
        assert await running.wait() == 0
    assert (tmp_path / "ready.closed").exists()
    await running.communicate()


async def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    process = Process(tmp_path)
    running = await process.start()
    await process.serving()
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    await reader.readuntil(b"begun ")
    running.send_signal(signal.SIGINT)
    await process.draining()
    async with asyncio.timeout(10):
        running.send_signal(signal.SIGINT)
        assert await running.wait() == 130
    writer.close()
    await running.communicate()


async def test_a_second_process_on_the_same_data_directory_is_told_so(tmp_path: Path) -> None:
    first = Process(tmp_path)
    running = await first.start()
    await first.serving()
    second = await Process(tmp_path).start()
    _, said = await second.communicate()
    assert second.returncode == 1
    assert said.decode().splitlines()[-1] == f"llm-mesh: the data directory {tmp_path / 'data'} is in use by another llm-mesh"
    running.terminate()
    await running.communicate()


@pytest.mark.parametrize(
    ("mode", "environment", "line"),
    [
        ("separate", {}, "set LLM_MESH_SECRET"),
        ("embedded", {"LLM_MESH_CONCURRENCY": "none"}, "LLM_MESH_CONCURRENCY"),
        ("embedded", {"LLM_MESH_HTTP": "nonsense"}, "'nonsense' is no address"),
        ("embedded", {"LLM_MESH_TLS_CERTIFICATE": "/nonexistent.pem", "LLM_MESH_TLS_KEY": "/nonexistent.key"}, "/nonexistent"),
    ],
)
async def test_what_cannot_start_says_why_in_one_line(tmp_path: Path, mode: str, environment: dict[str, str], line: str) -> None:
    running = await Process(tmp_path, mode, **environment).start()
    async with asyncio.timeout(20):
        _, said = await running.communicate()
    lines = said.decode().splitlines()
    assert running.returncode == 1
    assert len(lines) == 1, lines
    assert lines[0].startswith("llm-mesh: ")
    assert line in lines[0]
    assert not (tmp_path / "ready").exists()


WAITING = """
import gc, sys
from pathlib import Path
from llm_mesh_runtime.host import run
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.testing import FakePolicy, NoSettings

async def ready():
    Path(sys.argv[2] + (".collected" if gc.isenabled() else ".spared")).touch()
    if not Path(sys.argv[3]).exists():
        raise ConnectionError("the store is away")

gc.disable()
slow = Service("slow", (), NoSettings, lambda settings, links: Servicers(ready=ready))
raise SystemExit(run((slow, FakePolicy().service()), mode=sys.argv[1], ready_file=Path(sys.argv[2])))
"""


async def test_who_waits_for_a_store_collects_garbage_though_the_start_did_not(tmp_path: Path) -> None:
    process = Process(tmp_path, program=WAITING)
    running = await process.start()
    async with asyncio.timeout(20):
        while not (tmp_path / "ready.collected").exists():  # noqa: ASYNC110 (another process writes it)
            await asyncio.sleep(0.01)
    assert (tmp_path / "ready.spared").exists()
    assert not process.ready.exists()
    process.go.touch()
    await process.serving()
    running.send_signal(signal.SIGTERM)
    assert await running.wait() == 0


def test_a_thread_that_computes_gives_way_to_the_event_loop_soon() -> None:
    before, told = sys.getswitchinterval(), list[str]()
    try:
        assert run(["unknown"], mode="embedded", failed=told.append) == 1
        assert told
        assert sys.getswitchinterval() < 0.001, "in Python's 5 ms a request that wants the interpreter dozens of times waits too long"
    finally:
        sys.setswitchinterval(before)


async def test_what_companions_take_of_the_grace_is_not_taken_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    running: Any = importlib.import_module("llm_mesh_runtime.host.run")
    now = [100.0]
    monkeypatch.setattr(running, "time", SimpleNamespace(monotonic=lambda: now[0]))

    class Ending:
        """A host and its companions."""

        mesh = MeshSettings(grace=timedelta(seconds=20))
        grace = 0.0

        def __init__(self, seconds: float) -> None:
            self.health, self.seconds = self, seconds

        def drain(self) -> None:
            """Nothing new comes."""

        async def stop(self, grace: float | None = None) -> None:
            if grace is None:
                now[0] += self.seconds
            else:
                self.grace = grace

    for seconds, left in ((0, 20), (5, 15), (20, 1), (35, 1)):
        both = Ending(seconds)
        await running._end(both, both)
        assert both.grace == left
