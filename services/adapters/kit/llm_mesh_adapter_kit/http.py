"""HTTP to providers, as a port: which client does it is a matter of measurement, and of no concern to the rest."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

READ_AHEAD = 64 * 1024
_VISIBLE = re.compile("[!-~]+")


class HttpRequest(NamedTuple):
    """One request to an endpoint's origin."""

    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    method: str = "POST"
    connect_timeout: float = 10.0
    deadline: float = math.inf
    """The latest moment for the head of the answer, in seconds of `time.monotonic`."""
    prepared: str = ""
    """Further headers, as `header_lines` has made them."""
    most_bytes: float = math.inf
    """Of the whole answer. One that has more is read no further."""


def header_lines(headers: Mapping[str, str]) -> str:
    """Headers as they are sent. `ValueError` where one would be more than a line."""
    text = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if text.count("\n") != len(headers) or text.count("\r") != len(headers) or "\0" in text:
        raise ValueError("a header must be one line")
    return text


def checked_target(method: str, url: str, origin: tuple[str, str]) -> str:
    """Path and query of a request to an origin, which is its scheme, host and port. A credential belongs to an origin.

    `ValueError` where the address lies at another one, or is none.
    """
    parts = urlsplit(url)
    if (parts.scheme, parts.netloc) != origin or not _VISIBLE.fullmatch(url) or not _VISIBLE.fullmatch(method):
        raise ValueError("the address of a request lies at another origin, or is none")
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class HttpAnswer(Protocol):
    """An answer whose head has arrived. At most `READ_AHEAD` bytes of the rest are read ahead."""

    @property
    def status(self) -> int:
        """The HTTP status of the answer, such as 200."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by lower-case name."""

    def header(self, name: str) -> str:
        """One header by its lower-case name; empty where there is none."""

    @property
    def over(self) -> bool:
        """Whether all of it has been read."""

    async def read(self, deadline: float = math.inf) -> bytes:
        """Everything that has arrived, at least one byte; empty at the end. Raises `BrokenError`, and `TimeoutError` at the deadline."""

    def at_once(self) -> bytes | None:
        """All of the rest where nothing of it is still to come, else None."""

    def close(self) -> None:
        """Close the connection at once, unless the answer has arrived whole: then it serves again."""


class HttpClient(Protocol):
    """Sends to one endpoint. Follows no redirect, uses no proxy of the environment, keeps no cookie."""

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """The answer once its head is there.

        Raises `UnreachableError`, `ForbiddenError`, `ConnectTimeoutError`, `BrokenError`, and `TimeoutError` at the deadline.
        """

    async def close(self) -> None:
        """Close all connections."""


class UnreachableError(Exception):
    """No connection came about."""


class ForbiddenError(Exception):
    """The name leads to an address that is not allowed, which is the argument."""


class ConnectTimeoutError(Exception):
    """No connection came about in time."""


class BrokenError(Exception):
    """The connection broke, or what came is no HTTP."""
