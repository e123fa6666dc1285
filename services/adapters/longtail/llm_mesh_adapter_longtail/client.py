"""Implements the kit's `HttpClient` over the library's process: the kit makes attempts at a library as it does at a provider."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Final

import orjson

from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.http import BrokenError, HttpRequest
from llm_mesh_adapter_longtail.process import LibraryProcess
from llm_mesh_adapter_longtail.reply import LibraryReply

_BEARER: Final = "Bearer "
_JSON: Final = "application/json"
LINES: Final = "application/x-ndjson"
_LONGEST_CALL: Final = 3_600.0


class ProcessAnswer:
    """Implements `HttpAnswer`."""

    def __init__(self, process: LibraryProcess, reply: LibraryReply) -> None:
        self._process = process
        self._reply = reply
        head = reply.head or {}
        self.status = int(head.get("status", 0))
        self.headers: Mapping[str, str] = {**head.get("headers", {}), "content-type": LINES if head.get("stream") else _JSON}

    @property
    def over(self) -> bool:
        """Whether all of it has been read."""
        return self._reply.ended and not self._reply.holds

    def header(self, name: str) -> str:
        """One header; empty where there is none."""
        return self.headers.get(name, "")

    async def read(self, deadline: float = math.inf) -> bytes:
        """Everything that has arrived."""
        reply = self._reply
        while not reply.there:
            await reply.wait(deadline)
        if data := reply.gathered():
            return data
        if reply.failed:
            raise BrokenError(reply.failed)
        return b""

    def at_once(self) -> bytes | None:
        """All of the rest where nothing of it is still to come."""
        return self._reply.gathered() if self._reply.ended else None

    def close(self) -> None:
        """The library is told that nobody waits."""
        self._process.leave(self._reply)


class ProcessClient:
    """One endpoint's calls. All endpoints of an adapter share the process."""

    at_rest = True

    def __init__(self, endpoint: Endpoint, process: LibraryProcess) -> None:
        self._endpoint = endpoint
        self._process = process

    async def send(self, request: HttpRequest) -> ProcessAnswer:
        """The answer once its head is there."""
        first, _, arguments = request.body.partition(b"\n")
        call = orjson.loads(first)
        target = {
            "provider": call["provider"],
            "model": call["model"],
            "base_url": self._endpoint.base_url,
            "key": ({**_headers_in(request.prepared), **request.headers}).get("authorization", "").removeprefix(_BEARER),
            "timeout": max(min(request.deadline - time.monotonic(), _LONGEST_CALL), 0.001),
        }
        head = {"operation": call["operation"], "target": target}
        reply = await self._process.call(head, arguments, request.deadline, request.connect_timeout)
        return ProcessAnswer(self._process, reply)

    def retire(self) -> None:
        """It has nothing of its own."""

    async def close(self) -> None:
        """The process is closed by who started it."""


def _headers_in(lines: str) -> dict[str, str]:
    return {name: value for line in lines.split("\r\n") if line for name, _, value in (line.partition(": "),)}
