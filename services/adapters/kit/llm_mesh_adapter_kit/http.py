"""HTTP to providers, as a port: which client does it is a matter of measurement, and of no concern to the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

READ_AHEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request to an endpoint's origin."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    method: str = "POST"
    connect_timeout: float = 10.0


class HttpAnswer(Protocol):
    """An answer whose head has arrived. At most `READ_AHEAD` bytes of the rest are read ahead."""

    @property
    def status(self) -> int:
        """The status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by lower-case name."""

    async def read(self) -> bytes:
        """Everything that has arrived, at least one byte; empty at the end. Raises `BrokenError`."""

    def close(self) -> None:
        """Give the connection back where the answer was read to its end, else close it at once."""


class HttpClient(Protocol):
    """Sends to one endpoint. Follows no redirect, uses no proxy of the environment, keeps no cookie."""

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """The answer once its head is there. Raises `UnreachableError`, `ForbiddenError`, `ConnectTimeoutError` or `BrokenError`."""

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
