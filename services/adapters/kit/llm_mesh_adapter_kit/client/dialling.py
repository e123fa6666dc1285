"""From an endpoint's origin to a connection.

The name is resolved once a minute, each of its addresses is checked, and only those are connected to. Where there are several, a
later one starts when the one before it has not answered for a moment (RFC 8305).
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.client.connection import Connection
from llm_mesh_adapter_kit.http import ConnectTimeoutError, ForbiddenError, UnreachableError

_NAMES_FOR = 60.0
_HEAD_START = 0.25
PORTS = {"http": 80, "https": 443}


class Address(NamedTuple):
    """Where to connect to, as sockets have it."""

    family: int
    at: Any


class Dialler:
    """Makes connections to one origin. `tls` gives the context by which servers prove who they are."""

    def __init__(self, origin: str, rule: AddressRule, tls: Callable[[], ssl.SSLContext]) -> None:
        parts = urlsplit(origin)
        self._host = parts.hostname or ""
        self._port = parts.port or PORTS[parts.scheme]
        self._tls = tls if parts.scheme == "https" else None
        self._rule = rule
        self._known: Sequence[Address] = ()
        self._known_until = 0.0

    async def dial(self, make: Callable[[], Connection], *, connect_timeout: float, deadline: float) -> Connection:
        """A connection that stands. Raises `UnreachableError`, `ForbiddenError`, `ConnectTimeoutError`, `TimeoutError` at the deadline."""
        left = deadline - time.monotonic()
        try:
            async with asyncio.timeout(min(connect_timeout, max(left, 0.0))):
                return await self._connection(make)
        except TimeoutError:
            if connect_timeout < left:
                raise ConnectTimeoutError from None
            raise

    async def _connection(self, make: Callable[[], Connection]) -> Connection:
        sock = await self.reach()
        context = self._tls() if self._tls is not None else None
        connection = make()
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: connection, sock=sock, ssl=context, server_hostname=self._host if context is not None else None
            )
        except ssl.SSLError as error:
            raise UnreachableError(f"TLS failed: {error}") from None
        except OSError as error:
            raise UnreachableError(f"TLS failed: {error.strerror or 'the connection broke off'}") from None
        else:
            connection.socket = sock
            return connection
        finally:
            if connection.socket is None:  # a loop that is interrupted in between may close the transport and never tell its protocol
                connection.connection_lost(None)
                sock.close()

    async def reach(self) -> socket.socket:
        """A socket that is connected to an allowed address of the name. Raises `UnreachableError` and `ForbiddenError`."""
        addresses = await self.addresses()
        try:
            return await _first(addresses)
        except OSError as error:
            self.forget()
            raise UnreachableError(os.strerror(error.errno) if error.errno else "no connection") from None

    def forget(self) -> None:
        """Have the name resolved anew: nobody answers where it led to."""
        self._known_until = 0.0

    async def addresses(self) -> Sequence[Address]:
        """All addresses of the name, resolved once a minute. Raises `UnreachableError`, and `ForbiddenError` where one is not allowed."""
        if time.monotonic() < self._known_until:
            return self._known
        if _literal(self._host) and not self._rule.allows(self._host):
            raise ForbiddenError(self._host)
        loop = asyncio.get_running_loop()
        try:
            resolved = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        except (OSError, UnicodeError):
            raise UnreachableError("its name does not resolve") from None
        for *_, at in resolved:
            if not self._rule.allows(str(at[0])):
                raise ForbiddenError(f"{self._host} ({at[0]})")
        self._known = tuple(dict.fromkeys(Address(family, at) for family, _, _, _, at in resolved))
        self._known_until = time.monotonic() + _NAMES_FOR
        return self._known


async def _first(addresses: Sequence[Address]) -> socket.socket:
    """The first of them to answer. What else was begun is closed."""
    if len(addresses) == 1:
        return await _reached(addresses[0])
    waiting = deque(addresses)
    begun: set[asyncio.Task[socket.socket]] = set()
    errors: list[BaseException] = []
    try:
        while waiting or begun:
            if waiting:
                begun.add(asyncio.create_task(_reached(waiting.popleft())))
            done, _ = await asyncio.wait(begun, timeout=_HEAD_START if waiting else None, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                begun.discard(task)
                error = task.exception()
                if error is None:
                    return task.result()
                errors.append(error)
    finally:
        await _ended(begun)
    raise errors[0] if errors else OSError("there is no address")


async def _ended(begun: Iterable[asyncio.Task[socket.socket]]) -> None:
    """Ends attempts that are no longer wanted, and closes what came of them."""
    for task in begun:
        task.cancel()
    for result in await asyncio.gather(*begun, return_exceptions=True):
        if isinstance(result, socket.socket):
            result.close()


async def _reached(address: Address) -> socket.socket:
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, address.at)
    except BaseException:
        sock.close()
        raise
    return sock


def _literal(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
