"""One HTTP request of a connection, and its answer.

Applications see it by ASGI's `receive` and `send`. The head of an answer is checked as a whole and goes out with the body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llm_mesh_runtime.http.flow import PIECE
from llm_mesh_runtime.http.heads import FAILED, OLD, STATUS_LINE, STOPPED
from llm_mesh_runtime.http.names import FORBIDDEN
from llm_mesh_runtime.log import get_logger

if TYPE_CHECKING:
    from llm_mesh_runtime.http.protocol import Protocol
    from llm_mesh_runtime.service import HeadFilter, Refusal

_IN_VALUES = b"\t" + bytes(each for each in range(0x20, 0x100) if each != 0x7F)  # noqa: PLR2004
_LENGTH, _CODING, _CONNECTION = b"content-length: ", b"transfer-encoding: ", b"connection: "
_FRAMING = frozenset({_LENGTH, _CODING, _CONNECTION})
_NO_BODY = frozenset({204, 304})


class Cycle:
    """One request and its answer."""

    __slots__ = (
        "__weakref__",
        "_chunked",
        "_gone",
        "_head",
        "_left_to_send",
        "_old",
        "_until_the_end",
        "body",
        "disconnected",
        "door",
        "flow",
        "keep_alive",
        "message_event",
        "more_body",
        "on_response",
        "response_complete",
        "response_started",
        "scope",
        "state",
        "transport",
        "waiting_for_100_continue",
    )

    def __init__(self, protocol: Protocol, scope: dict[str, Any], *, keep_alive: bool) -> None:
        self.scope = scope
        self.transport = protocol.transport
        self.flow = protocol.flow
        self.state = protocol.state
        self.message_event = asyncio.Event()
        self.on_response: Callable[[], None] = protocol.on_response_complete
        self.disconnected = False
        self.keep_alive = keep_alive
        self._old = scope["http_version"] == OLD
        """Whether the client knows neither chunks nor `100 Continue`."""
        self.waiting_for_100_continue = protocol.expect_100_continue and not self._old
        self.body = bytearray()
        self.more_body = True
        self.response_started = False
        self.response_complete = False
        self.door: HeadFilter | None = None
        """Who let the request in, until it is answered."""
        self._chunked: bool | None = None
        """Whether the answer goes in chunks; None until that is known."""
        self._until_the_end = False
        """Whether the answer is what comes until the connection ends."""
        self._left_to_send = 0
        """Bytes of the answer's body that its length still promises."""
        self._head = b""
        """The head of an answer of known length, until its body comes: both go out at once."""
        self._gone: Callable[[], None] | None = None

    async def run(self, app: Any) -> None:  # noqa: ANN401 - an ASGI application
        """Have the application answer. Whatever it does, the client is answered or the connection ends."""
        try:
            await app(self.scope, self.receive, self.send)
        except BaseException as error:  # noqa: BLE001 - of an application anything may come, and a cancellation is answered too
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # the listener stops, which it has logged
                await self._fail(STOPPED)
            else:
                get_logger().error("an HTTP application failed", exc_info=error)
                await self._fail(FAILED)
        else:
            if not self.response_complete and not self.disconnected:
                get_logger().error("an HTTP application ended before its answer did", started=self.response_started)
                await self._fail(FAILED)
        finally:
            self.on_response = _nothing

    async def _fail(self, refusal: Refusal) -> None:
        """Nobody answers any more."""
        if self.response_started:
            self._break_off()
            return
        headers = (*refusal.headers, (b"connection", b"close"))
        await self.send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": refusal.body})

    def _break_off(self) -> None:
        """The answer is not whole, which its client can tell by its framing or by a reset."""
        if self._until_the_end:
            self.flow.reset()
        else:
            self.flow.hang_up()

    async def receive(self) -> dict[str, Any]:
        """What has arrived of the body since the last call, as soon as there is some; or that the client has left."""
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.waiting_for_100_continue = False
        if not self.disconnected and not self.response_complete:
            self.flow.resume_reading()
            await self.message_event.wait()
            self.message_event.clear()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

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
        """The answer, at once."""
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
            body = message.get("body", b"")
            if self.flow.in_pieces and len(body) > PIECE:
                body = await self._all_but_the_last_piece(body)
            if not self.disconnected:
                self._write(body, last=not message.get("more_body", False))
        elif kind == "http.response.start" and not self.response_started:
            self._begin(message["status"], message.get("headers", ()))
        else:
            raise RuntimeError(f"unexpected ASGI message {kind!r}")

    async def _all_but_the_last_piece(self, body: bytes) -> bytes:
        """Write them as the client takes them, and answer with the last one."""
        last = (len(body) - 1) // PIECE * PIECE
        for begin in range(0, last, PIECE):
            self._write(body[begin : begin + PIECE], last=False)
            if self.flow.write_paused:
                await self.flow.drain()
            if self.disconnected:
                break
        return body[last:]

    def _begin(self, status: int, headers: Any) -> None:  # noqa: ANN401 - pairs of bytes
        content, framing = self._lines(status, headers)
        self.response_started = True
        if self.waiting_for_100_continue and self.more_body:
            self.keep_alive = False  # it may send its body or not: nobody can tell what follows
        self.waiting_for_100_continue = False
        closes = False
        for begins, value in framing:
            if begins == _LENGTH and self._chunked is None:
                self._left_to_send = int(value)
                self._chunked = False
            elif begins == _CODING and value.lower() == b"chunked":
                self._left_to_send = 0
                self._chunked = True
            elif begins == _CONNECTION and b"close" in [token.strip() for token in value.lower().split(b",")]:
                self.keep_alive, closes = False, True
        if not self.keep_alive and not closes:
            content.append(b"connection: close\r\n")
        if self._chunked is None and self.scope["method"] != "HEAD" and status not in _NO_BODY:
            self._until_the_end = self._old
            self._chunked = None if self._old else True
        if self._chunked and not any(begins == _CODING for begins, _ in framing):
            content.append(b"transfer-encoding: chunked\r\n")
        content.append(b"\r\n")
        head = b"".join(content)
        if self._chunked is False:
            self._head = head
        else:
            self.transport.write(head)

    def _lines(self, status: int, headers: Any) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:  # noqa: ANN401 - pairs of bytes
        """The head's text in pieces, checked, and those of its headers that say how long the answer is and what follows."""
        state = self.state
        names = state.names
        known, content, framing = names.known, [STATUS_LINE[status]], []
        for name, value in [state.date, *headers]:
            begins = known.get(name) or names.checked(name)
            content += (begins, value, b"\r\n")
            if begins in _FRAMING:
                framing.append((begins, value))
        if b"".join(content[2::3]).translate(None, _IN_VALUES):
            raise RuntimeError(FORBIDDEN)
        return content, framing

    def _write(self, body: bytes, *, last: bool) -> None:
        if self.scope["method"] == "HEAD":
            self._left_to_send = 0
            body = b""
        elif self._until_the_end:
            pass
        elif self._chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            if last:
                body += b"0\r\n\r\n"
        else:
            self._left_to_send -= len(body)
            if self._left_to_send < 0:
                raise RuntimeError("the answer is longer than its Content-Length")
        if self._head:
            body, self._head = self._head + body, b""
        if body:
            self.transport.write(body)
        if last:
            self._end()

    def _end(self) -> None:
        if self._left_to_send:
            raise RuntimeError("the answer is shorter than its Content-Length")
        self.response_complete = True
        self.message_event.set()
        self.leave_door()
        self._forget()
        if not self.keep_alive:
            self.flow.hang_up()
        self.on_response()

    def _forget(self) -> None:
        """Nobody is called back any more. Undoes the ring of scope and cycle too, which only the garbage collector would find."""
        self._gone = None
        self.scope["extensions"].clear()


def _nothing() -> None:
    return
