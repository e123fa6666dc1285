"""`HttpClient` by aiohttp: one pool per endpoint, whose resolver hands out checked addresses only."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from llm_mesh_adapter_kit.http import (
    READ_AHEAD,
    BrokenError,
    ConnectTimeoutError,
    ForbiddenError,
    HttpAnswer,
    HttpRequest,
    UnreachableError,
)

if TYPE_CHECKING:
    from llm_mesh_adapter_kit.addresses import AddressRule

_KEEP_ALIVE = 30.0
_NAMES_FOR = 60
_LONGEST_LINE = 16 * 1024


class AiohttpClient:
    """Sends to one endpoint."""

    def __init__(self, host: str, rule: AddressRule) -> None:
        self._host = host
        self._rule = rule
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """See `HttpClient`."""
        if _literal(self._host) and not self._rule.allows(self._host):
            raise ForbiddenError(self._host)
        timeout = aiohttp.ClientTimeout(total=None, connect=request.connect_timeout, sock_connect=request.connect_timeout)
        try:
            answer = await self._pool().request(
                request.method,
                URL(request.url, encoded=True),
                data=request.body or None,
                headers={"accept-encoding": "identity", **request.headers},
                allow_redirects=False,
                timeout=timeout,
            )
        except _ForbiddenNameError as error:
            raise ForbiddenError(str(error)) from None
        except aiohttp.ConnectionTimeoutError:
            raise ConnectTimeoutError from None
        except aiohttp.ClientConnectorError as error:
            raise UnreachableError(_why(error)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise BrokenError(type(error).__name__) from None
        return _Answer(answer)

    async def close(self) -> None:
        """See `HttpClient`."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _pool(self) -> aiohttp.ClientSession:
        """Made at the first call, on the loop that it serves."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0, keepalive_timeout=_KEEP_ALIVE, resolver=_CheckedResolver(self._rule), ttl_dns_cache=_NAMES_FOR
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                read_bufsize=READ_AHEAD // 2,  # reading stops at twice of it
                max_line_size=_LONGEST_LINE,
                max_field_size=_LONGEST_LINE,
                skip_auto_headers=("User-Agent",),
                headers={"user-agent": "llm-mesh"},
            )
        return self._session


class _Answer:
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self._headers: Mapping[str, str] | None = None

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        if self._headers is None:
            self._headers = {name.lower(): value for name, value in self._answer.headers.items()}
        return self._headers

    async def read(self) -> bytes:
        content = self._answer.content
        try:
            data = await content.readany()
            while not data and not content.at_eof():
                data = await content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise BrokenError(type(error).__name__) from None
        return data

    def close(self) -> None:
        if self._answer.content.at_eof():
            self._answer.release()
        else:
            self._answer.close()


class _ForbiddenNameError(Exception):
    """Not an OSError: aiohttp would take it for a name that does not resolve."""


class _CheckedResolver(AbstractResolver):
    """Resolves a name once and checks each of its addresses; aiohttp connects to what it answers, and to nothing else."""

    def __init__(self, rule: AddressRule) -> None:
        self._rule = rule

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG)
        results = [
            ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=proto, flags=socket.AI_NUMERICHOST)
            for kind, _, proto, _, address in found
        ]
        for result in results:
            if not self._rule.allows(result["host"]):
                raise _ForbiddenNameError(f"{host} ({result['host']})")
        return results

    async def close(self) -> None:
        return


def _literal(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _why(error: aiohttp.ClientConnectorError) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name does not resolve"
    if isinstance(error, aiohttp.ClientSSLError):
        return f"TLS failed: {error.os_error}"
    return error.os_error.strerror or "no connection"
