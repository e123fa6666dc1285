"""HTTP without anybody's help: what is on the wire is what a proof says."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PATIENCE = 30.0


@dataclass(frozen=True)
class Reply:
    """An answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error that it tells."""
        found: dict[str, Any] = self.json()["error"]
        return found

    @property
    def code(self) -> str:
        """The code of the error; empty where there is none."""
        return str(self.error["llm_mesh_code"]) if self.status >= http.client.BAD_REQUEST else ""

    def events(self) -> list[Any]:
        """The events of a stream, without its end mark and comments."""
        lines = [line.removeprefix("data: ") for line in self.body.decode().splitlines() if line.startswith("data: ")]
        return [json.loads(line) for line in lines if line != "[DONE]"]

    @property
    def text(self) -> str:
        """The text of the first choice, streamed or not."""
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            choices = [event["choices"][0] for event in self.events() if event.get("choices")]
            return "".join(choice["delta"].get("content") or "" for choice in choices)
        return str(self.json()["choices"][0]["message"]["content"])


def call(address: str, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
    """One request on a connection of its own."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
    try:
        connection.request(method, path, body or None, dict(headers or {}))
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def announce(address: str, path: str, size: int, headers: Mapping[str, str]) -> Reply:
    """Say how large a body would be, and wait for leave to send it, as `Expect: 100-continue` asks (RFC 9110, 10.1.1)."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
    try:
        connection.putrequest("POST", path)
        for name, value in {**headers, "content-length": str(size), "expect": "100-continue"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


class Leaver:
    """A client that goes away in the middle: it closes its socket and says nothing."""

    def __init__(self, address: str, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=PATIENCE)
        head = [f"POST {path} HTTP/1.1", f"host: {address}", f"content-length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items())]
        self._socket.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)

    def pieces(self) -> Iterator[bytes]:
        """What arrives."""
        while piece := self._socket.recv(65_536):
            yield piece

    def leave(self) -> None:
        """Go."""
        self._socket.close()
