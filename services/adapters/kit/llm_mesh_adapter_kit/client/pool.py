"""The connections of one endpoint. How many there are at once is the bulkhead's business, not theirs."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.client.connection import ROOM, Connection
from llm_mesh_adapter_kit.client.dialling import Dialler
from llm_mesh_adapter_kit.http import BrokenError, HttpAnswer, HttpRequest, checked_target, header_lines

KEEP_ALIVE = 30.0
FRESH = 0.02
"""A connection that was idle for longer is looked at before it serves: its other side may have closed it."""
_MOST_HEADS = 256
_COMMON = "accept-encoding: identity\r\nuser-agent: llm-mesh\r\n"


def tls_context() -> ssl.SSLContext:
    """How servers prove who they are: by the system's certificates. Reads files, and takes tens of milliseconds."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Pool:
    """`HttpClient` of one origin."""

    def __init__(self, origin: str, rule: AddressRule, tls: Callable[[], ssl.SSLContext] = tls_context) -> None:
        parts = urlsplit(origin)
        self._origin = (parts.scheme, parts.netloc)
        self._dialler = Dialler(origin, rule, tls)
        self._heads: dict[tuple[str, str], str] = {}
        self._room = memoryview(bytearray(ROOM))
        self._free: deque[Connection] = deque()
        self._all: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._retired = False

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """See `HttpClient`.

        A request is sent once. Only where it changes nothing (GET) it is sent again, on a new connection, when the one that was
        kept alive turns out to be closed: a provider may have begun to work for any other, and be paid.
        """
        head = self._head(request)
        idle = self._idle_connection()
        while True:
            connection = idle or await self._dialler.dial(self._made, connect_timeout=request.connect_timeout, deadline=request.deadline)
            answer = connection.ask(head, request.body)
            try:
                await answer.head(request.deadline)
            except BaseException as error:
                answer.close()
                if idle is None or request.method != "GET" or not isinstance(error, BrokenError):
                    raise
                idle = None
            else:
                return answer

    @property
    def at_rest(self) -> bool:
        """Whether there is no connection."""
        return not self._all

    def retire(self) -> None:
        """Keep no connection any more: those that are free close now, those in use when their answer ends."""
        self._retired = True
        while self._free:
            self._free.pop().drop()

    async def close(self) -> None:
        """See `HttpClient`."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        everyone = list(self._all)
        for connection in everyone:
            connection.fail(BrokenError("the adapter closes"))
        await asyncio.gather(*(connection.closed for connection in everyone))

    def _head(self, request: HttpRequest) -> bytes:
        begin = self._heads.get((request.method, request.url)) or self._begin(request.method, request.url)
        length = f"content-length: {len(request.body)}\r\n\r\n" if request.body or request.method != "GET" else "\r\n"
        return (begin + request.prepared + header_lines(request.headers) + length).encode()

    def _begin(self, method: str, url: str) -> str:
        """The part of a head that all requests of a kind share. A credential belongs to an origin: no other is sent to."""
        target = checked_target(method, url, self._origin)
        if len(self._heads) >= _MOST_HEADS:
            self._heads.clear()
        begin = self._heads[method, url] = f"{method} {target} HTTP/1.1\r\nhost: {self._origin[1]}\r\n{_COMMON}"
        return begin

    def _idle_connection(self) -> Connection | None:
        """The connection that was used last, if it still stands."""
        now = time.monotonic()
        while self._free:
            connection = self._free.pop()
            idle = now - connection.idle_since
            if connection.usable and idle < min(KEEP_ALIVE, connection.keep_alive) and not (idle > FRESH and connection.ended):
                return connection
            connection.drop()
        return None

    def _made(self) -> Connection:
        return Connection(self._room, made=self._all.add, idle=self._idle, gone=self._all.discard)

    def _idle(self, connection: Connection) -> None:
        if self._retired:
            connection.drop()
            return
        connection.idle_since = time.monotonic()
        self._free.append(connection)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(KEEP_ALIVE, self._sweep)

    def _sweep(self) -> None:
        """Closes what nobody has used for long: the left end was used least recently."""
        self._sweeper = None
        now = time.monotonic()
        while self._free and (not self._free[0].usable or now - self._free[0].idle_since >= KEEP_ALIVE):
            self._free.popleft().drop()
        if self._free:
            rest = KEEP_ALIVE - (now - self._free[0].idle_since)
            self._sweeper = asyncio.get_running_loop().call_later(max(rest, 1.0), self._sweep)
