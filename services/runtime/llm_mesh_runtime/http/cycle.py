"""One HTTP request of a connection, and its answer: how uvicorn writes, without what an answer need not pay.

uvicorn checks each header by two expressions; here a head is checked as a whole and goes out with the body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

if TYPE_CHECKING:
    from uvicorn._types import HTTPScope

    from llm_mesh_runtime.http.protocol import Protocol
    from llm_mesh_runtime.service import HeadFilter, Refusal

_FORBIDDEN = "a header of the answer has a character that no header may have"
_IN_NAMES = bytes(each for each in range(0x21, 0x100) if each not in b'()<>@,;:\\[]={}"\x7f')
_IN_VALUES = b"\t" + bytes(each for each in range(0x20, 0x100) if each != 0x7F)  # noqa: PLR2004
_LENGTH, _CODING, _CONNECTION = b"content-length: ", b"transfer-encoding: ", b"connection: "
_FRAMING = frozenset({_LENGTH, _CODING, _CONNECTION})
_NO_BODY = frozenset({204, 304})
_MOST_NAMES = 1024


class Names:
    """How the headers of a listener's answers begin, each checked once: there are few, and every answer has a dozen."""

    def __init__(self) -> None:
        self.known: dict[bytes, bytes] = {}

    def checked(self, name: bytes) -> bytes:
        """The name in lower case, and what stands between it and the value."""
        if not name or name.translate(None, _IN_NAMES):
            raise RuntimeError(_FORBIDDEN)
        begins = name.lower() + b": "
        if len(self.known) < _MOST_NAMES:
            self.known[name] = begins
        return begins


class Cycle(RequestResponseCycle):
    """One request and its answer."""

    def __init__(self, protocol: Protocol, scope: dict[str, Any], *, keep_alive: bool) -> None:
        """Sets what uvicorn's own constructor sets, from the connection."""
        self.scope = cast("HTTPScope", scope)
        self.transport = protocol.transport
        self.flow = protocol.flow
        self.logger = protocol.logger
        self.default_headers = protocol.server_state.default_headers
        self.message_event = asyncio.Event()
        self.on_response = protocol.on_response_complete
        self.disconnected = False
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = protocol.expect_100_continue
        self.body = bytearray()
        self.more_body = True
        self.response_started = False
        self.response_complete = False
        self.chunked_encoding = None
        self.expected_content_length = 0
        self.door: HeadFilter | None = None
        """Who let the request in, until it is answered."""
        self._names = protocol.names
        self._head = b""
        """The head of an answer of known length, until its body comes: both go out at once."""
        self._gone: Callable[[], None] | None = None

    @property
    def size(self) -> int:
        """Bytes of the body that nobody has taken yet."""
        return len(self.body)

    def leave_door(self) -> None:
        """It is answered, or its work has ended without. What is done once an answer is out must not keep the next request out."""
        door, self.door = self.door, None
        if door is not None:
            door.leave(self.scope)

    def arrived(self) -> bytes | None:
        """The body, once, if nothing of it is still to come; None: `receive` has it."""
        if self.more_body or self.disconnected or self.waiting_for_100_continue:
            return None
        body, self.body = bytes(self.body), bytearray()
        return body

    def on_leave(self, callback: Callable[[], None]) -> None:
        """Call back once the client has left."""
        self.flow.resume_reading()  # who does not read does not notice
        self._gone = callback
        if self.disconnected:
            self.leave()

    def leave(self) -> None:
        """The client has left."""
        self.disconnected = True
        self.message_event.set()
        callback = self._gone
        self._forget()
        if callback is not None:
            callback()

    def refuse(self, refusal: Refusal) -> None:
        """The answer, at once. A client that asks before it sends its body may send it or not: nobody can tell what follows."""
        if self.waiting_for_100_continue:
            self.keep_alive = False
        self.on_response = _nothing
        self._begin(refusal.status, refusal.headers)
        self._write(refusal.body, last=True)

    async def send(self, message: Any) -> None:  # noqa: ANN401 - ASGI
        """Write a part of the answer. Waits while the client is slow."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if kind == "http.response.body" and self.response_started and not self.response_complete:
            self._write(message.get("body", b""), last=not message.get("more_body", False))
        elif kind == "http.response.start" and not self.response_started:
            self._begin(message["status"], message.get("headers", ()))
        else:
            raise RuntimeError(f"unexpected ASGI message {kind!r}")

    def _begin(self, status: int, headers: Any) -> None:  # noqa: ANN401 - pairs of bytes
        content, framing = self._lines(status, headers)
        self.response_started = True
        self.waiting_for_100_continue = False
        closes = False
        for begins, value in framing:
            if begins == _LENGTH and self.chunked_encoding is None:
                self.expected_content_length = int(value)
                self.chunked_encoding = False
            elif begins == _CODING and value.lower() == b"chunked":
                self.expected_content_length = 0
                self.chunked_encoding = True
            elif begins == _CONNECTION and b"close" in [token.strip() for token in value.lower().split(b",")]:
                self.keep_alive, closes = False, True
        if not self.keep_alive and not closes:
            content.append(b"connection: close\r\n")
        if self.chunked_encoding is None and self.scope["method"] != "HEAD" and status not in _NO_BODY:
            self.chunked_encoding = True
            content.append(b"transfer-encoding: chunked\r\n")
        content.append(b"\r\n")
        head = b"".join(content)
        if self.chunked_encoding is False:
            self._head = head
        else:
            self.transport.write(head)

    def _lines(self, status: int, headers: Any) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:  # noqa: ANN401 - pairs of bytes
        """The head's text in pieces, checked, and those of its headers that say how long the answer is and what follows."""
        names = self._names
        known, content, framing = names.known, [STATUS_LINE[status]], []
        for name, value in [*self.default_headers, *headers]:
            begins = known.get(name) or names.checked(name)
            content += (begins, value, b"\r\n")
            if begins in _FRAMING:
                framing.append((begins, value))
        if b"".join(content[2::3]).translate(None, _IN_VALUES):
            raise RuntimeError(_FORBIDDEN)
        return content, framing

    def _write(self, body: bytes, *, last: bool) -> None:
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
            body = b""
        elif self.chunked_encoding:
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            if last:
                body += b"0\r\n\r\n"
        else:
            self.expected_content_length -= len(body)
            if self.expected_content_length < 0:
                raise RuntimeError("the answer is longer than its Content-Length")
        if self._head:
            body, self._head = self._head + body, b""
        if body:
            self.transport.write(body)
        if last:
            self._end()

    def _end(self) -> None:
        if self.expected_content_length:
            raise RuntimeError("the answer is shorter than its Content-Length")
        self.response_complete = True
        self.message_event.set()
        self.leave_door()
        self._forget()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _forget(self) -> None:
        """Nobody is called back any more. Undoes the ring of scope and cycle too, which only the garbage collector would find."""
        self._gone = None
        cast("dict[str, Any]", self.scope)["extensions"].clear()


def _nothing() -> None:
    return
