"""`HttpClient` over aiohttp. Nothing of the environment is used: no proxy, no `.netrc`; no redirect is followed, no cookie kept."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Final

import aiohttp
from yarl import URL

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.aiohttp_client.answer import LibraryAnswer, broken
from llm_mesh_adapter_kit.aiohttp_client.resolver import FirstHop
from llm_mesh_adapter_kit.client.dialling import literal
from llm_mesh_adapter_kit.client.pool import check_address, tls_context
from llm_mesh_adapter_kit.connecting import EVERYWHERE, Connecting
from llm_mesh_adapter_kit.http import (
    READ_AHEAD,
    BrokenError,
    ConnectTimeoutError,
    ForbiddenError,
    HttpAnswer,
    HttpRequest,
    UnreachableError,
    header_lines,
)

_KEEP_ALIVE: Final = 30.0
_HEAD_START: Final = 0.25
_MOST_LINE: Final = 64 * 1024
_LARGE: Final = 256 * 1024
"""Bytes of a body beyond which it is sent in pieces: others have their turn."""
_FINAL: Final = 200
_NEVER: Final = 10_000_000.0
_NO_LIMIT: Final = aiohttp.ClientTimeout(total=None, sock_connect=None)
_UNASKED: Final = ("accept", "accept-encoding", "content-type", "user-agent")
"""Headers that the library would add by itself."""


class LibraryClient:
    """`HttpClient` of one origin."""

    def __init__(
        self,
        origin: str,
        rule: AddressRule,
        tls: Callable[[], ssl.SSLContext] = tls_context,
        connecting: Connecting = Connecting(),  # noqa: B008 (immutable)
    ) -> None:
        self._origin = origin
        self._rule = rule
        self._tls = tls if origin.startswith("https:") else None
        self._proxy = connecting.proxy
        self._proxy_headers = _proxy_headers(connecting.proxy_credential.reveal())
        self._first_hop = FirstHop(self._proxy, EVERYWHERE) if self._proxy else FirstHop(origin, rule)
        self._session: aiohttp.ClientSession | None = None
        self._context: ssl.SSLContext | None = None

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """See `HttpClient`. The library sends a GET again where a kept connection turns out to be closed, and nothing else."""
        host = check_address(self._origin, request.method, request.url).hostname or ""
        headers = _headers(request)
        if literal(host) and not self._rule.allows(host):
            raise ForbiddenError(host)
        try:
            async with asyncio.timeout(max(0.0, min(request.deadline - time.monotonic(), _NEVER))):
                response = await self._sent(request, headers)
        except (aiohttp.ConnectionTimeoutError, aiohttp.ServerTimeoutError):
            raise ConnectTimeoutError from None
        except aiohttp.ClientError as error:
            raise self._failure(error) from None
        if response.status < _FINAL:
            response.close()
            raise BrokenError("what came is no HTTP")
        return LibraryAnswer(response)

    async def close(self) -> None:
        """See `HttpClient`."""
        if self._session is not None:
            await self._session.close()

    async def _sent(self, request: HttpRequest, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = self._made()
        if self._tls is not None and self._context is None:
            self._context = await asyncio.to_thread(self._tls)
        return await self._session.request(
            request.method,
            URL(request.url, encoded=True),
            headers=headers,
            data=io.BytesIO(request.body) if len(request.body) > _LARGE else request.body or None,
            skip_auto_headers=_UNASKED,
            allow_redirects=False,
            ssl=self._context or True,
            proxy=self._proxy or None,
            proxy_headers=self._proxy_headers,
            timeout=aiohttp.ClientTimeout(total=None, connect=request.connect_timeout, ceil_threshold=_NEVER),
        )

    def _made(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0, resolver=self._first_hop, use_dns_cache=False, keepalive_timeout=_KEEP_ALIVE, happy_eyeballs_delay=_HEAD_START
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            timeout=_NO_LIMIT,
            read_bufsize=READ_AHEAD // 4,
            max_line_size=_MOST_LINE,
            max_field_size=_MOST_LINE,
        )

    def _failure(self, error: Exception) -> Exception:
        """What a failure of the library means."""
        if isinstance(error, aiohttp.ClientHttpProxyError):
            return UnreachableError(f"the proxy answered {error.status}")
        if isinstance(error, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError)):
            return UnreachableError(f"TLS failed: {getattr(error, 'certificate_error', None) or error.os_error}")
        if isinstance(error, aiohttp.ClientConnectorError):
            self._first_hop.forget()
            return UnreachableError(os.strerror(error.errno) if error.errno else "no connection")
        return broken(error)


def _headers(request: HttpRequest) -> dict[str, str]:
    lines = (request.prepared + header_lines(request.headers)).split("\r\n")
    pairs = [(name, value) for name, _, value in (line.partition(": ") for line in lines if line)]
    return {"accept-encoding": "identity", "user-agent": "llm-mesh"} | dict(pairs)


def _proxy_headers(credential: str) -> dict[str, str] | None:
    return {"proxy-authorization": f"Basic {base64.b64encode(credential.encode()).decode()}"} if credential else None
