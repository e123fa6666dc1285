"""From an endpoint's origin to a connection that httpcore2 speaks over: straight, or through a proxy's tunnel."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from httpcore2 import URL, AsyncConnectionInterface, AsyncHTTP2Connection, AsyncHTTP11Connection, Origin, Request

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.client.dialling import PORTS, Dialler
from llm_mesh_adapter_kit.http import ConnectTimeoutError, ForbiddenError, UnreachableError
from llm_mesh_adapter_kit.transport.settings import TransportSettings
from llm_mesh_adapter_kit.transport.stream import SocketStream
from llm_mesh_adapter_kit.transport.trust import Trust

_TUNNEL_STANDS = 200


class TransportDialler:
    """Makes connections to one origin by the settings of its transport."""

    def __init__(self, origin: str, rule: AddressRule, transport: TransportSettings) -> None:
        parts = urlsplit(origin)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        port = parts.port or PORTS[parts.scheme]
        self.origin = Origin(parts.scheme.encode(), self._host.encode("ascii", "backslashreplace"), port)
        self._rule = rule
        self._transport = transport
        self._trust = Trust(transport)
        self._sockets = Dialler(transport.proxy or origin, rule, _no_context)

    async def dial(
        self, stream: Callable[[], SocketStream], *, connect_timeout: float, deadline: float
    ) -> tuple[AsyncConnectionInterface, SocketStream]:
        """A connection that stands. Raises `UnreachableError`, `ForbiddenError`, `ConnectTimeoutError`, `TimeoutError` at the deadline."""
        left = deadline - time.monotonic()
        try:
            async with asyncio.timeout(min(connect_timeout, max(left, 0.0))):
                return await self._connection(stream)
        except TimeoutError:
            if connect_timeout < left:
                raise ConnectTimeoutError from None
            raise

    async def _connection(self, make: Callable[[], SocketStream]) -> tuple[AsyncConnectionInterface, SocketStream]:
        if self._transport.proxy:
            self._check_literal()
        context = await self._trust.context() if self._secure else None
        sock = await self._sockets.reach()
        stream = make()
        try:
            await asyncio.get_running_loop().create_connection(lambda: stream, sock=sock)
            stream.socket = sock
            if self._transport.proxy:
                await self._tunnel(stream)
            newer = await _secured(stream, context, self._host) if context is not None else False
        except BaseException:
            stream.abort()
            if stream.socket is None:  # a loop that is interrupted in between may close the transport and never tell its protocol
                stream.connection_lost(None)
                sock.close()
            raise
        connection = AsyncHTTP2Connection if newer else AsyncHTTP11Connection
        return connection(origin=self.origin, stream=stream), stream

    def _check_literal(self) -> None:
        """A proxy resolves names as it pleases. An address that is written out is refused here, in whatever notation."""
        try:
            written = socket.inet_ntoa(socket.inet_aton(self._host))
        except OSError:
            if ":" not in self._host:
                return
            written = self._host
        if not self._rule.allows(written):
            raise ForbiddenError(self._host)

    async def _tunnel(self, stream: SocketStream) -> None:
        parts = urlsplit(self._transport.proxy)
        proxy = Origin(b"http", (parts.hostname or "").encode(), parts.port or PORTS["http"])
        host = self.origin.host
        target = b"%b:%d" % (b"[" + host + b"]" if b":" in host else host, self.origin.port)
        headers = [(b"host", target), (b"user-agent", b"llm-mesh")]
        if credential := self._transport.proxy_credential:
            headers.append((b"proxy-authorization", b"Basic " + base64.b64encode(credential.reveal().encode())))
        request = Request(b"CONNECT", URL(scheme=b"http", host=proxy.host, port=proxy.port, target=target), headers=headers)
        try:
            response = await AsyncHTTP11Connection(origin=proxy, stream=stream).handle_async_request(request)
        except Exception as error:  # noqa: BLE001 - whatever the library makes of what came: there is no tunnel
            raise UnreachableError(f"the proxy gave no tunnel: {type(error).__name__}") from None
        if response.status != _TUNNEL_STANDS:
            raise UnreachableError(f"the proxy gave no tunnel: it answered {response.status}")
        stream.progress()


async def _secured(stream: SocketStream, context: ssl.SSLContext, host: str) -> bool:
    try:
        return await stream.secure(context, host)
    except ssl.SSLError as error:
        raise UnreachableError(f"TLS failed: {error}") from None
    except OSError as error:
        raise UnreachableError(f"TLS failed: {error.strerror or 'the connection broke off'}") from None


def _no_context() -> ssl.SSLContext:
    raise AssertionError("TLS begins behind the proxy")
