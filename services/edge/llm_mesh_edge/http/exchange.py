"""One HTTP request and its answer over ASGI: bounded bodies in, whole or streamed answers out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, MutableMapping
from contextlib import suppress
from typing import Any

import orjson

from llm_mesh_edge.domain.failures import Failure, failure_of, placed
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.domain.options import header_of
from llm_mesh_edge.domain.receipts import Pairs
from llm_mesh_edge.http.time_limit import TimeLimit
from llm_mesh_runtime.context import Caller
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.shares import Party

Scope = Mapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

JSON = b"application/json"
GONE = "llm_mesh.gone"
"""The extension by which our own listener calls back when the client has left."""
ARRIVED = "llm_mesh.arrived"
"""The extension by which it gives a body that is there already."""
AUTHENTICATED = "llm_mesh.authenticated"
"""The extension that it tells who the caller is, once that is known; before, it reads no more than came with the head."""
HEADERS, KNOWN, PARTY = "headers", "known", "party"
"""Where the door leaves the headers that it has read, whether it knows the caller, and whom the request counts to while it is work."""
_MOST_DISCARDED = 64 * 1024 * 1024
_DISCARDING_SECONDS = 2.0
_NONE: Mapping[str, Any] = {}
EVENTS = b"text/event-stream; charset=utf-8"


class ProblemError(Exception):
    """A failure that the edge finds itself."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class UnreadBodyError(ProblemError):
    """A failure that is found before the body has been read to its end."""


class GoneError(Exception):
    """The client left while its request was read."""


class HttpExchange:
    """What handlers work with."""

    __slots__ = (
        "_arrived",
        "_authenticated",
        "_on_gone",
        "_receive",
        "_send",
        "address",
        "ended",
        "headers",
        "known",
        "method",
        "options_in_body",
        "party",
        "path",
        "place",
        "query",
        "started",
        "status",
        "tenant",
        "whole",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.get("state", _NONE)
        self.headers: Headers = state.get(HEADERS) or Headers(scope["headers"])
        self.known: bool = state.get(KNOWN, False)
        """Whether the caller's credential is known to be valid."""
        self.address: str = (scope.get("client") or ("",))[0]
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope.get("query_string", b"")
        """What stands behind the `?`. Never a credential: addresses end up in logs."""
        self._receive = receive
        self._send = send
        extensions = scope.get("extensions", _NONE)
        self._on_gone: Callable[[Callable[[], None]], None] | None = extensions.get(GONE)
        self._authenticated: Callable[[Any], bool] | None = extensions.get(AUTHENTICATED)
        self._arrived: Callable[[], bytes | None] = extensions.get(ARRIVED, _not_yet)
        self.whole = False
        """Whether all pieces of the body have been read."""
        self.started = False
        self.ended = False
        self.status = 0
        self.party: Party | None = state.get(PARTY)
        """Whom the request counts to."""
        self.tenant = ""
        """The caller's domain. Empty: it was known before the exchange began."""
        self.options_in_body: frozenset[str] = frozenset()
        """Which options the body has; the others may stand in headers."""
        self.place: Callable[[Failure], Failure] = _as_it_is
        """Names the field of a failure by its place in the body, once that is read."""

    def failure(self, error: MeshError) -> Failure:
        """What the client is told of a failure. Its field is named by the header that has it, or by its place in the body."""
        failure = failure_of(error)
        header = header_of(failure.param, self.headers, self.options_in_body)
        return placed(failure, lambda _field, _body: header, {}) if header else self.place(failure)

    def authenticated(self, caller: Caller) -> bool:
        """The caller is known. False: there are too many connections of it."""
        self.known, self.tenant, self.party = True, caller.domain, caller.party
        return self._authenticated is None or self._authenticated(caller.party)

    def arrived_body(self, limit: int) -> bytes | None:
        """The body, where it came with its head, as nearly every one does: nobody waits, and no timer runs."""
        self.headers.check()
        raw = self._arrived()
        if raw is not None and len(raw) > limit:
            raise _TooLargeError(limit)
        return raw

    async def body(self, limit: int, seconds: float, take: Callable[[int], None]) -> bytes:
        """The body, as it arrives. `take` is told of the bytes of each part, and raises where they are too many for its sender."""
        pieces: list[bytes] = []

        def arrived(piece: bytes) -> None:
            pieces.append(piece)
            take(len(piece))

        await self.hand_on(limit, seconds, arrived)
        return b"".join(pieces)

    async def hand_on(self, limit: int, seconds: float, arrived: Callable[[bytes], None]) -> None:
        """The body piece by piece, for who does not need it as a whole. `arrived` raises `UnreadBodyError` where it wants no more of it."""
        try:
            with TimeLimit(seconds):
                await self._hand_on(limit, arrived)
        except UnreadBodyError:
            if not self.headers.get(b"expect"):  # who asks first whether to send has not begun
                await self.discard()
            raise
        except TimeoutError:
            message = f"the body did not arrive within {seconds:g} s"
            raise ProblemError(Failure(408, "request_timeout", message, closes=True)) from None

    async def _hand_on(self, limit: int, arrived: Callable[[bytes], None]) -> None:
        if (self.headers.content_length or 0) > limit:
            raise _TooLargeError(limit)
        size, more = 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise GoneError
            piece: bytes = message.get("body", b"")
            size += len(piece)
            if size > limit:
                raise _TooLargeError(limit)
            arrived(piece)
            more = message.get("more_body", False)

    async def pieces(self, limit: int, idle: float) -> AsyncIterator[bytes]:
        """The body as it arrives, of which nothing is held. `idle` is for how many seconds nothing may come."""
        self.headers.check()
        if (self.headers.content_length or 0) > limit:
            raise _TooLargeError(limit)
        size, more = 0, True
        while more:
            try:
                with TimeLimit(idle):
                    message = await self._receive()
            except TimeoutError:
                raise ProblemError(Failure(408, "request_timeout", f"nothing of the body came for {idle:g} s", closes=True)) from None
            if message["type"] == "http.disconnect":
                raise GoneError
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > limit:
                raise _TooLargeError(limit)
            more = message.get("more_body", False)
            self.whole = not more
            if part:
                yield part

    async def discard(self) -> None:
        """Takes what the client still sends, within bounds: closed with bytes unread a connection is reset, and the answer lost."""
        left = 0 if self.whole else _MOST_DISCARDED
        with suppress(TimeoutError), TimeLimit(_DISCARDING_SECONDS):
            while left > 0 and (message := await self._receive()).get("more_body", False):
                left -= len(message.get("body", b""))

    def on_gone(self, callback: Callable[[], None]) -> bool:
        """Have `callback` called once the client has left. False where the server offers nothing better than `gone`."""
        if self._on_gone is None:
            return False
        self._on_gone(callback)
        return True

    async def gone(self) -> None:
        """Returns once the client has left. To be called after the body was read."""
        while (await self._receive())["type"] != "http.disconnect":
            continue

    async def answer(self, status: int, body: bytes, headers: Pairs | None = None, *, media_type: bytes = JSON) -> None:
        """A whole answer."""
        fixed = [(b"content-type", media_type), (b"content-length", b"%d" % len(body))] if body or status != 204 else []  # noqa: PLR2004
        await self._send(self._head(status, fixed, headers))
        self.ended = True
        await self._send({"type": "http.response.body", "body": body})

    async def begin_json(self, headers: Pairs) -> None:
        """An answer in JSON begins whose length is not known."""
        await self._send(self._head(200, [(b"content-type", JSON)], headers))

    def answer_json(self, value: object, headers: Pairs | None = None, *, status: int = 200) -> Coroutine[Any, Any, None]:
        """A whole answer in JSON."""
        return self.answer(status, orjson.dumps(value), headers)

    async def begin_stream(self, media_type: bytes, headers: Pairs) -> None:
        """A stream begins, such as of server-sent events."""
        fixed = [(b"content-type", media_type), (b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
        await self._send(self._head(200, fixed, headers))

    def write(self, data: bytes) -> Awaitable[None]:
        """More of what has begun. Waits while the client is slow."""
        return self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes = b"") -> None:
        """The last of it."""
        self.ended = True
        await self._send({"type": "http.response.body", "body": data})

    def _head(self, status: int, fixed: Pairs, headers: Pairs | None) -> Message:
        self.started = True
        self.status = status
        fixed += identified(self.headers)
        if headers:
            fixed += headers
        return {"type": "http.response.start", "status": status, "headers": fixed}


def _as_it_is(failure: Failure) -> Failure:
    return failure


def _not_yet() -> None:
    """What servers that are not ours know of a body."""


def identified(headers: Headers) -> Pairs:
    """What every answer says about which request it answers."""
    number = headers.request_id.encode("ascii")
    return [(b"x-request-id", number), (b"request-id", number)]  # the second is Anthropic's name


class _TooLargeError(UnreadBodyError):
    """The body is, or will be, larger than it may be."""

    def __init__(self, limit: int) -> None:
        super().__init__(Failure(413, "message_too_large", f"the body is larger than {limit} bytes", closes=True))
