"""One connection to an endpoint: bytes of asyncio's transport to llhttp, and what llhttp says to the answer that waits for it.

Whatever the other side sends, the answer becomes whole or fails, and what a connection holds is bounded: a read takes half of
`READ_AHEAD`, and there is no further one before somebody took the last.
"""

from __future__ import annotations

import asyncio
import math
import socket
import time
from collections.abc import Callable
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from llm_mesh_adapter_kit.client.answer import Answer
from llm_mesh_adapter_kit.http import READ_AHEAD, BrokenError

ROOM = READ_AHEAD // 2
MOST_HEAD = 64 * 1024
_JOINED = 64 * 1024
_FINAL = 200
LOOK = int(socket.MSG_PEEK | socket.MSG_DONTWAIT)
_TICK = 0.002
"""Timers of libuv are as coarse as milliseconds."""

Notified = Callable[["Connection"], None]


class Connection(asyncio.BufferedProtocol):
    """Carries one request after the other. `made`, `idle` and `gone` tell the pool."""

    def __init__(self, room: memoryview, *, made: Notified, idle: Notified, gone: Notified) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = room
        self._made = made
        self._idle = idle
        self._gone = gone
        self._arrived: list[bytes] = []
        # A stream has a piece of body per chunk: the parser puts them aside by itself, and they are looked at once per read.
        self.on_body = self._arrived.append
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: Answer | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf
        self._deadline = math.inf
        self._paused = False
        self._interim = False
        self._spoilt = False
        self._quiet = 0
        self._head_size = 0
        self.socket: socket.socket | None = None
        self.idle_since = 0.0
        self.keep_alive = math.inf
        """How long the other side keeps it, in seconds, where it says so."""
        self.closed: asyncio.Future[None] = self._loop.create_future()

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return not (self._spoilt or self._transport is None or self._transport.is_closing())

    @property
    def ended(self) -> bool:
        """Whether the other side has closed it, or says something that nobody asked for; the loop may not have seen it yet."""
        if self.socket is None:
            return True
        try:
            self.socket.recv(1, LOOK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def ask(self, head: bytes, body: bytes) -> Answer:
        """Send a request; its answer has not begun."""
        assert self._transport is not None  # noqa: S101 (told to the type checker: a connection is handed out once it stands)
        self._answer = answer = Answer(self)
        self._head_size = self._quiet = 0
        if len(body) < _JOINED:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)
        return answer

    # What an answer asks for.

    def watch(self, deadline: float) -> None:
        """One timer for all deadlines of all answers: it looks what time it is when it fires, and is moved to an earlier moment only."""
        self._deadline = deadline
        if deadline < self._due:
            self._arm(deadline)

    def resume(self) -> None:
        """Read on."""
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def drop(self) -> None:
        """Close at once, and say nothing."""
        self._spoilt = True
        self._answer = None
        if self._transport is not None:
            self._transport.abort()

    def fail(self, error: Exception) -> None:
        """Close at once, and tell whoever waits."""
        answer = self._answer
        self.drop()
        if answer is not None:
            answer.fail(error)

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self._transport = cast("asyncio.Transport", transport)
        self._made(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Room for a read. All connections of a pool share it: it is emptied before any other reads."""
        del sizehint
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes came."""
        answer, parser = self._answer, self._parser
        if answer is None or parser is None:
            self.drop()  # nobody asked
            return
        self._quiet += nbytes
        wrong = False
        try:
            parser.feed_data(self._room[:nbytes])
        except (HttpParserError, HttpParserUpgrade):
            wrong = self._spoilt = True
        self._take(answer)
        if answer.whole:
            self._served()
        elif wrong or self._quiet > MOST_HEAD:
            self.fail(BrokenError("what came is no HTTP"))
            return
        elif answer.held >= ROOM and self._transport is not None:
            self._paused = answer.stopped = True
            self._transport.pause_reading()
        if answer.begun:
            answer.wake()

    def eof_received(self) -> bool:
        """The other side says no more, which ends an answer that does not say itself where it ends."""
        answer = self._answer
        self._spoilt = True
        if answer is not None and answer.begun and not answer.framed:
            self._answer = None
            answer.end()
            answer.wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        if self._timer is not None:
            self._timer.cancel()
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.fail(BrokenError(type(exc).__name__ if exc is not None else "closed"))
        self._parser = self._transport = self._timer = self.socket = None
        self._gone(self)
        if not self.closed.done():
            self.closed.set_result(None)

    # What the parser tells, while it is fed.

    def on_message_begin(self) -> None:
        """Another answer: none is expected after the one that was asked for."""
        if self._answer is None or self._answer.whole:
            self._spoilt = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer: those count, and are no headers."""
        self._head_size += len(name) + len(value)
        if self._head_size > MOST_HEAD:
            raise ValueError("longer than a head may be")
        answer = self._answer
        if answer is not None and not answer.begun:
            answer.fields[name.lower()] = value

    def on_headers_complete(self) -> None:
        """The head is whole."""
        answer, parser = self._answer, self._parser
        if answer is None or parser is None or answer.begun:
            return
        status = parser.get_status_code()
        self._interim = status < _FINAL
        if self._interim:  # such as 100 Continue and 103 Early Hints
            answer.fields = {}
            return
        answer.status = status
        answer.begun = True
        self._quiet = 0
        if not parser.should_keep_alive():
            self._spoilt = True
        elif b"keep-alive" in answer.fields:
            self.keep_alive = kept_for(answer.fields[b"keep-alive"])

    def on_message_complete(self) -> None:
        """The answer is whole."""
        answer = self._answer
        if self._interim:
            self._interim = False
        elif answer is not None:
            self._take(answer)
            answer.end()

    def _take(self, answer: Answer) -> None:
        """Gives the answer what came of its body. What came after its end belongs to nobody."""
        arrived = self._arrived
        if arrived:
            if not answer.whole:
                self._quiet = 0
                answer.pieces += arrived
                answer.held += sum(map(len, arrived))
            arrived.clear()

    def _served(self) -> None:
        """The answer is whole. The connection serves again unless it said otherwise, or still sends what nobody reads any more."""
        self._answer = None
        self.resume()
        if self.usable and self._transport is not None and not self._transport.get_write_buffer_size():
            self._idle(self)
        else:
            self.drop()

    def _arm(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = deadline
        self._timer = self._loop.call_later(max(0.0, deadline - time.monotonic()), self._look)

    def _look(self) -> None:
        self._timer = None
        self._due = math.inf
        if self._answer is None or not self._answer.waits or self._deadline == math.inf:
            return  # whoever waits next sets it again
        if time.monotonic() + _TICK < self._deadline:
            self._arm(self._deadline)
        else:
            self.fail(TimeoutError())


def kept_for(field: bytes) -> float:
    """What `Keep-Alive: timeout=5` says, less a second for the way."""
    for part in field.lower().split(b","):
        name, _, value = part.strip().partition(b"=")
        if name == b"timeout" and value.isdigit():
            return max(0.0, min(int(value[:9]), 3600) - 1.0)
    return math.inf
