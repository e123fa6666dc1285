"""The simulator as a process of its own: settings, and a log that survives a kill."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import orjson
import pytest

from llm_mesh_runtime.settings import Configuration, SettingsError
from llm_mesh_simulator.settings import Settings
from tests.simulator.conftest import ask, http


def test_only_loopback_addresses_are_taken() -> None:
    for address in ("127.0.0.1:1", "[::1]:1", "localhost:1"):
        assert Settings(address=address).address == address
    for address in ("0.0.0.0:8099", "192.0.2.1:80", "example.com:80"):
        with pytest.raises(SettingsError, match="loopback"):
            Configuration.read({"LLM_MESH_SIMULATOR_ADDRESS": address}).load(Settings, "simulator")
    assert Settings(address="0.0.0.0:8099", exposed=True).exposed


async def test_a_killed_process_leaves_a_line_for_each_request_that_it_received(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    log = tmp_path / "log.jsonl"
    environment = {**os.environ, "LLM_MESH_SIMULATOR_ADDRESS": f"127.0.0.1:{port}", "LLM_MESH_SIMULATOR_LOG_PATH": str(log)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "llm_mesh_simulator", env=environment)
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    assert (await http(port, "GET", "/healthz"))[0] == 200
                    break
                except ConnectionRefusedError:
                    await asyncio.sleep(0.02)
        body = orjson.dumps({"model": "sim-words/tokens:1000/rate:50", "stream": True, "messages": [{"role": "user", "content": "x"}]})
        clients = [await ask(port, "POST", "/v1/chat/completions", body, {}) for _ in range(8)]
        for reader, _ in clients:
            await reader.readuntil(b"\r\n\r\n")
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    for _, writer in clients:
        writer.close()
    lines = [orjson.loads(line) for line in log.read_bytes().splitlines()]
    assert [line["event"] for line in lines] == ["received"] * 8
    assert len({line["id"] for line in lines}) == 8
