"""A library that misbehaves as its model's name says. It runs in the library's process; nothing of it is imported by tests."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, ClassVar

from llm_mesh_adapter_longtail.child.port import LibraryTarget
from llm_mesh_adapter_longtail.wire import PIECE, WINDOW, FrameKind, packed


class RateLimitError(Exception):
    """As libraries have it: with the answer of the provider."""

    status_code = 429

    class Response:  # noqa: D106
        headers: ClassVar[Mapping[str, str]] = {"retry-after": "7"}

    response = Response()


class ContextWindowExceededError(Exception):
    """Without a status."""


class MadeUp:
    version = "1.0"

    async def chat(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> object:
        deed = DEEDS.get(target.model)
        if deed is not None:
            return answer(deed(target))
        if target.model == "sleeps":
            await asyncio.sleep(60)
        return answer(repr({"target": [target.provider, target.base_url], "arguments": sorted(arguments)}))

    async def stream(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> AsyncIterator[object]:
        del arguments
        if target.model == "refuses":
            raise RateLimitError("slow down")
        for number in range(100_000 if target.model == "endless" else 3):
            if number == 1 and target.model == "fails-midway":
                raise ContextWindowExceededError(f"too long, says {target.key}")
            if number == 1 and target.model == "dies":
                os._exit(9)
            yield {"id": "c", "choices": [{"index": 0, "delta": {"content": "x" * (50_000 if target.model == "endless" else 1)}}]}
        yield {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}

    async def embed(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> object:
        del target
        data = [{"index": number, "embedding": [float(len(text)), 0.5]} for number, text in enumerate(arguments["input"])]
        return {"data": data, "model": "v", "usage": {"prompt_tokens": 4, "total_tokens": 4}}

    async def rerank(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> object:
        del target
        found = [{"index": number, "relevance_score": 1.0 - number / 10} for number, _ in enumerate(arguments["documents"])]
        return {"id": "r", "results": found, "meta": {"billed_units": {"search_units": 1}}}

    async def models(self, target: LibraryTarget) -> list[str]:
        if target.provider == "silent":
            raise NotImplementedError
        return ["one", "two"]


def loaded_library() -> MadeUp:
    return MadeUp()


def answer(text: str) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return {"id": "c", "choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}


def connects(where: tuple[str, int]) -> str:
    with socket.create_connection(where, timeout=2):
        return "connected"


def sends_a_packet() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets:
        packets.sendto(b"secret", ("127.0.0.1", 53))
    return "sent"


def limited(_: LibraryTarget) -> str:
    raise RateLimitError("slow down")


def leaking(target: LibraryTarget) -> str:
    raise ValueError(f"wrong key: {target.key}")


def hoards(_: LibraryTarget) -> str:
    return str(len(bytearray(8 * 1024 * 1024 * 1024)))


def blocks(_: LibraryTarget) -> str:
    time.sleep(60)
    return "woke"


def ends(_: LibraryTarget) -> str:
    os._exit(7)


def writes(*frames: bytes) -> str:
    """Past the server of the process, at its socket."""
    os.write(int(sys.argv[1]), b"".join(frames))
    return "wrote"


def itself(target: LibraryTarget) -> tuple[str, int]:
    host, _, port = target.base_url.removeprefix("http://").partition(":")
    return host, int(port)


DEEDS: dict[str, Callable[[LibraryTarget], str]] = {
    "reaches-its-endpoint": lambda target: connects(itself(target)),
    "reaches-another-port": lambda target: connects((itself(target)[0], itself(target)[1] + 1)),
    "reaches-an-address": lambda _: connects(("203.0.113.7", 443)),
    "reaches-a-name": lambda _: connects(("telemetry.example", 443)),
    "looks-up-past-the-patch": lambda _: str(sys.modules["_socket"].getaddrinfo("telemetry.example", 443)),
    "sends-a-packet": lambda _: sends_a_packet(),
    "starts-a-process": lambda _: str(subprocess.run(["/bin/true"], check=False)),
    "runs-a-shell": lambda _: str(os.system("true")),  # noqa: S605
    "forks": lambda _: str(os.fork()),
    "shows-its-environment": lambda _: repr(dict(os.environ)),
    "limited": limited,
    "leaks": leaking,
    "hoards": hoards,
    "blocks": blocks,
    "ends": ends,
    "writes-no-head": lambda _: writes(packed(FrameKind.HEAD, 1, b"{")),
    "keeps-to-no-window": lambda _: writes(packed(FrameKind.HEAD, 1, b'{"status": 200}'), packed(FrameKind.PIECE, 1, b"x") * (WINDOW + 1)),
    "writes-a-large-piece": lambda _: writes(packed(FrameKind.PIECE, 1, b"x" * (PIECE + 1))),
}
