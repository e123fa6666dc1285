"""Heads of requests and answers: status lines, targets, and what is said of a head that cannot be read."""

from __future__ import annotations

import http
import string
from collections.abc import Sequence
from types import MappingProxyType

import httptools

from llm_mesh_runtime.service import HeadFault, Refusal


def _status_line(status: int) -> bytes:
    phrase = http.HTTPStatus(status).phrase if status in set(http.HTTPStatus) else ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


STATUS_LINE = MappingProxyType({status: _status_line(status) for status in range(100, 600)})

_UPGRADE = frozenset({b"upgrade", b"connection", b"http2-settings"})
OLD = "1.0"
_IN_HOSTS = string.ascii_letters.encode() + string.digits.encode() + b"-._~%!$&'()*+,;=:[]"
_TEXT = (b"content-type", b"text/plain; charset=utf-8")


def plain(status: int, text: bytes) -> Refusal:
    """A refusal in one line of text."""
    return Refusal(status, (_TEXT, (b"content-length", b"%d" % len(text))), text)


NOT_HTTP = plain(400, b"Invalid HTTP request received.")
FAILED = plain(500, b"Internal Server Error")
STOPPED = plain(503, b"the server stopped before the request ended; try again\n")
FAULTS = MappingProxyType(
    {HeadFault.TOO_LARGE: plain(431, b"the head is too large\n"), HeadFault.CROWDED: plain(429, b"too many connections\n")}
)
"""What is said where no door says it."""


class HeadError(Exception):
    """More arrives than is read. Raised in a callback, it stops the parser."""

    def __init__(self, fault: HeadFault = HeadFault.TOO_LARGE) -> None:
        super().__init__(fault.value)
        self.fault = fault


def last_answer(refusal: Refusal) -> bytes:
    """A refusal as it goes out where the connection ends with it."""
    headers = [header for header in refusal.headers if header[0] != b"connection"]
    lines = [STATUS_LINE[refusal.status], *(b"%b: %b\r\n" % header for header in headers)]
    return b"".join([*lines, b"connection: close\r\n\r\n", refusal.body])


def without_upgrade(method: bytes, url: bytes, version: str, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The head of a request without what asks for another protocol."""
    lines = [b"%b: %b\r\n" % header for header in headers if header[0] not in _UPGRADE]
    if b"close" in b",".join(value.lower() for name, value in headers if name == b"connection"):
        lines.append(b"connection: close\r\n")
    return b"".join((b"%b %b HTTP/%b\r\n" % (method, url, version.encode()), *lines, b"\r\n"))


def check_head(version: str, hosts: Sequence[bytes]) -> None:
    """ValueError where a request must be refused whatever it asks for: RFC 9112, 3.2, and versions whose framing is another."""
    if version not in {"1.1", OLD}:
        raise ValueError("neither HTTP/1.1 nor HTTP/1.0")
    if len(hosts) > 1 or (not hosts and version != OLD) or any(host.translate(None, _IN_HOSTS) for host in hosts):
        raise ValueError("not one valid Host")


def size_of(url: bytes, headers: Sequence[tuple[bytes, bytes]]) -> int:
    """Bytes of a head."""
    return len(url) + 16 + sum(len(name) + len(value) + 4 for name, value in headers)


def target_of(url: bytes) -> tuple[bytes, bytes]:
    """Path and query of what is requested: nearly always what stands before and after the question mark."""
    if url.startswith(b"/") and b"#" not in url:
        path, _, query = url.partition(b"?")
        return path, query
    parsed = httptools.parse_url(url)
    return parsed.path, parsed.query or b""
