"""A running simulator on a port of its own, and the official SDKs as its clients."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import openai
import orjson
import pytest

from llm_mesh_runtime.http.listener import HttpListener
from llm_mesh_simulator.provider.app import Simulator
from llm_mesh_simulator.store.journal import Journal


@dataclass(frozen=True)
class Running:
    """Where the simulator listens and where it writes."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lines(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.log.read_bytes().splitlines()]

    async def served(self, count: int = 1) -> list[dict[str, Any]]:
        """The lines of what was served, once there are so many."""
        return await self.wait_for("served", count)

    async def wait_for(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        """The lines of one kind, once there are so many: the log is a file, which tells nobody that it grows."""
        async with asyncio.timeout(5):
            while len(found := [line for line in self.lines() if line["event"] == event]) < count:  # noqa: ASYNC110  see above
                await asyncio.sleep(0.005)
        return found

    async def admin(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        status, _, raw = await http(self.port, method, "/_simulator/" + path, orjson.dumps(body) if body is not None else b"")
        return status, orjson.loads(raw)


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[Running]:
    log = tmp_path / "deep" / "simulator.log.jsonl"
    journal = Journal(log)
    journal.open()
    listener = HttpListener("127.0.0.1:0", Simulator(journal))
    await listener.start()
    yield Running(int(listener.address.rpartition(":")[2]), log)
    await listener.stop(1)
    journal.close()


@pytest.fixture
async def chat(simulator: Running) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=simulator.url + "/v1", api_key="sk-test", max_retries=0, timeout=10) as client:
        yield client


@pytest.fixture
async def claude(simulator: Running) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=simulator.url, api_key="sk-test", max_retries=0, timeout=10) as client:
        yield client


async def http(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """One request over a bare socket, and everything that came back until the connection closed."""
    reader, writer = await ask(port, method, path, body, {"connection": "close", **(headers or {})})
    try:
        raw = await reader.read()
    finally:
        writer.close()
    head, _, rest = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split(" ")[1]), found, dechunked(rest) if found.get("transfer-encoding") == "chunked" else rest


async def ask(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Sends one request over a bare socket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    lines = [f"{method} {path} HTTP/1.1", "host: simulator", f"content-length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items())]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    await writer.drain()
    return reader, writer


def dechunked(raw: bytes) -> bytes:
    """The body of a chunked answer, as far as it came."""
    parts: list[bytes] = []
    while raw:
        size, _, rest = raw.partition(b"\r\n")
        length = int(size or b"0", 16)
        parts.append(rest[:length])
        raw = rest[length + 2 :]
    return b"".join(parts)
