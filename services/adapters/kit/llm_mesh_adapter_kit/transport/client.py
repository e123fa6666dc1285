"""The connections of one endpoint whose transport has settings, over httpcore2. One request at a time on each, in HTTP/2 too."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

from h2.errors import ErrorCodes
from h2.events import StreamReset
from httpcore2 import URL, AsyncConnectionInterface, AsyncHTTP2Connection, ConnectionNotAvailable, Request, Response

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.client.connection import ROOM, kept_for
from llm_mesh_adapter_kit.client.pool import FRESH, KEEP_ALIVE
from llm_mesh_adapter_kit.http import BrokenError, HttpAnswer, HttpRequest, UnreachableError, checked_target, header_lines
from llm_mesh_adapter_kit.transport.answer import LibraryAnswer
from llm_mesh_adapter_kit.transport.dialling import TransportDialler
from llm_mesh_adapter_kit.transport.settings import TransportSettings
from llm_mesh_adapter_kit.transport.stream import SocketStream
from llm_mesh_runtime.tasks import TaskSet

_SWITCHING = 101
_COMMON = ((b"accept-encoding", b"identity"), (b"user-agent", b"llm-mesh"))
_CHATTY = ("hpack", "httpcore2")
"""Libraries that log headers at the level DEBUG, credentials among them."""


class NotTakenError(Exception):
    """The server says that it did not begin with the request."""


class LibraryConnection:
    """Carries one request after the other."""

    def __init__(self, client: LibraryClient, inner: AsyncConnectionInterface, stream: SocketStream) -> None:
        self._client = client
        self._inner = inner
        self._stream = stream
        self._keep_alive = math.inf
        self.idle_since = 0.0

    def serves_after(self, idle: float) -> bool:
        """Whether another request may be sent after so many seconds without one."""
        if not self._stream.usable or idle >= min(KEEP_ALIVE, self._keep_alive):
            return False
        return not (idle > FRESH and self._stream.spoke)

    async def ask(self, request: Request, deadline: float) -> HttpAnswer:
        """The answer once its head is there. Raises `NotTakenError`, `BrokenError`, and `TimeoutError` at the deadline."""
        left = deadline - time.monotonic()
        self.progress()
        try:
            async with asyncio.timeout(max(left, 0.0) if left < math.inf else None):
                response = await self._inner.handle_async_request(request)
        except BaseException as error:
            self.drop()
            if isinstance(error, TimeoutError) or not isinstance(error, Exception):
                raise
            if isinstance(error, ConnectionNotAvailable) or _refused(error):
                raise NotTakenError from None
            raise BrokenError(type(error).__name__) from None  # whatever the library makes of what came
        self._check(response)
        self.progress()
        return LibraryAnswer(self, response)

    def progress(self) -> None:
        """See `ServingConnection`."""
        self._stream.progress()

    async def finished(self, response: Response) -> None:
        """See `ServingConnection`."""
        clean = isinstance(self._inner, AsyncHTTP2Connection) or _nothing_behind(self._inner)
        await response.aclose()
        if clean and self._inner.is_idle() and self._stream.usable:
            self._client.keep(self)
        else:
            self.drop()

    def drop(self, pieces: AsyncGenerator[bytes] | None = None) -> None:
        """See `ServingConnection`."""
        self._stream.abort()
        if pieces is not None:
            self._client.end(pieces)

    def _check(self, response: Response) -> None:
        fields = {name.lower(): value for name, value in response.headers}
        if response.status == _SWITCHING or (b"transfer-encoding" in fields and b"content-length" in fields):
            self.drop()
            raise BrokenError("another protocol, or two lengths")
        if b"keep-alive" in fields:
            self._keep_alive = kept_for(fields[b"keep-alive"])


class LibraryClient:
    """Implements `HttpClient` for one origin."""

    def __init__(self, origin: str, rule: AddressRule, transport: TransportSettings) -> None:
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.INFO)
        parts = urlsplit(origin)
        self._origin = (parts.scheme, parts.netloc)
        self._dialler = TransportDialler(origin, rule, transport)
        self._room = memoryview(bytearray(ROOM))
        self._free: deque[LibraryConnection] = deque()
        self._all: set[SocketStream] = set()
        self._ending = TaskSet()
        self._sweeper: asyncio.TimerHandle | None = None
        self._retired = False

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """See `HttpClient`.

        A request is sent once. It is sent again on a new connection where it changes nothing (GET), or where the server says that it did
        not begin with it, when the connection that was kept alive turns out to be closed.
        """
        message = self._message(request)
        reused = self._reusable()
        while True:
            connection = reused or await self._dial(request)
            try:
                return await connection.ask(message, request.deadline)
            except NotTakenError:
                if reused is None:
                    raise UnreachableError("the server takes no request") from None
            except BrokenError:
                if reused is None or request.method != "GET":
                    raise
            reused = None

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
        streams = list(self._all)
        for stream in streams:
            stream.abort()
        await asyncio.gather(*(stream.closed for stream in streams))
        await self._ending.close()

    def keep(self, connection: LibraryConnection) -> None:
        """The connection is free."""
        if self._retired:
            connection.drop()
            return
        connection.idle_since = time.monotonic()
        self._free.append(connection)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(KEEP_ALIVE, self._sweep)

    def end(self, pieces: AsyncGenerator[bytes]) -> None:
        """An answer is read no more: let the library clean up behind it."""
        self._ending.spawn(pieces.aclose(), name="adapter.answer")

    def _message(self, request: HttpRequest) -> Request:
        target = checked_target(request.method, request.url, self._origin)
        lines = (request.prepared + header_lines(request.headers)).encode().split(b"\r\n")[:-1]
        headers = [(b"host", self._origin[1].encode()), *_COMMON, *(_pair(line) for line in lines)]
        if request.body or request.method != "GET":
            headers.append((b"content-length", b"%d" % len(request.body)))
        origin = self._dialler.origin
        url = URL(scheme=origin.scheme, host=origin.host, port=origin.port, target=target.encode())
        return Request(request.method.encode(), url, headers=headers, content=request.body)

    async def _dial(self, request: HttpRequest) -> LibraryConnection:
        inner, stream = await self._dialler.dial(self._stream, connect_timeout=request.connect_timeout, deadline=request.deadline)
        return LibraryConnection(self, inner, stream)

    def _stream(self) -> SocketStream:
        stream = SocketStream(self._room, self._all.discard)
        self._all.add(stream)
        return stream

    def _reusable(self) -> LibraryConnection | None:
        """The connection that was used last, if it still stands."""
        now = time.monotonic()
        while self._free:
            connection = self._free.pop()
            if connection.serves_after(now - connection.idle_since):
                return connection
            connection.drop()
        return None

    def _sweep(self) -> None:
        """Closes what nobody has used for long: the left end was used least recently."""
        self._sweeper = None
        now = time.monotonic()
        while self._free and not self._free[0].serves_after(now - self._free[0].idle_since):
            self._free.popleft().drop()
        if self._free:
            rest = KEEP_ALIVE - (now - self._free[0].idle_since)
            self._sweeper = asyncio.get_running_loop().call_later(max(rest, 1.0), self._sweep)


def _pair(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b": ")
    return name, value


def _nothing_behind(connection: AsyncConnectionInterface) -> bool:
    """Whether nothing came behind an answer of HTTP/1.1: the library would take it for the next answer, and does not tell.

    Where it keeps its parser elsewhere one day, no connection serves again: that is the safe side.
    """
    parser = getattr(connection, "_h11_state", None)
    return parser is not None and not parser.trailing_data[0]


def _refused(error: Exception) -> bool:
    """Whether the other side refused a stream of HTTP/2 before it did anything (RFC 9113, 8.7)."""
    event = error.args[0] if error.args else None
    return isinstance(event, StreamReset) and event.error_code == ErrorCodes.REFUSED_STREAM
