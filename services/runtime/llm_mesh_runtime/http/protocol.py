"""One HTTP/1.1 connection: httptools reads it, and one request after the other is answered.

Trailers of a chunked body are no headers: a stranger behind a trusting proxy could add headers that nobody checked. The time for a head,
its size and the requests that are read ahead are bounded, with one timer per connection. What strangers hold is bounded: until a caller
is known no more of a request is read than arrives with its head.
"""

from __future__ import annotations

import asyncio
import urllib.parse
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

import httptools

from llm_mesh_runtime.http.acceptor import Accepted
from llm_mesh_runtime.http.cycle import Cycle
from llm_mesh_runtime.http.extensions import ARRIVED, AUTHENTICATED, GONE
from llm_mesh_runtime.http.flow import LINGERING, FlowControl, address_of
from llm_mesh_runtime.http.heads import FAULTS, NOT_HTTP, HeadError, check_head, last_answer, size_of, target_of, without_upgrade
from llm_mesh_runtime.http.state import KEEP_ALIVE
from llm_mesh_runtime.http.tls import GOODBYE
from llm_mesh_runtime.service import HeadFault, Refusal

if TYPE_CHECKING:
    from llm_mesh_runtime.http.state import ListenerState
    from llm_mesh_runtime.http.unauthenticated import Strangers
    from llm_mesh_runtime.shares import Party

HEAD_PATIENCE = 20.0
CROWDED_OUT = 1.0
"""Seconds for a stranger who is crowded out to take what it is told: it is counted no more, so it must not stay."""
MOST_DROPPED = 64 * 1024 * 1024
MOST_PIPELINED = 32
"""Requests on a connection that wait for the one before them."""

_READ_AHEAD = 65536  # bytes of a body that are kept while nobody takes them
_ASGI = {"version": "3.0", "spec_version": "2.3"}


class Protocol(Accepted):
    """One connection."""

    transport: asyncio.Transport
    flow: FlowControl
    cycle: Cycle | None = None  # the request that was read last
    url = b""
    expect_100_continue = False
    _timer: asyncio.TimerHandle | None = None
    _due = 0.0
    """When the client must have done what is awaited of it, by the loop's clock. 0: nothing is awaited."""
    _in_head = False
    _in_body = False
    _running: Cycle | None = None  # the request that is being answered; others may wait behind it
    _discarding = False  # whether whatever still comes is dropped: the connection ends
    _final_refusal: Refusal | None = None  # said once the requests before have been answered, instead of the next answer
    _head_size = 0
    _arriving = 0  # bytes that are being read, of any number of requests
    _came_before = 0  # those among which the head began that is being read
    _framing_size = 0  # bytes that came since the last part of a body, such as trailers
    _dropped = 0
    _refusals = 0  # since something arrived
    _party: Party | None = None
    _upgrading = False  # whether the parser ends with a head that asks for another protocol

    def __init__(self, state: ListenerState) -> None:
        self.state = state
        self.headers: list[tuple[bytes, bytes]] = []
        self._hosts: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._door = state.door
        self._limits = state.bounds.head
        self._strangers: Strangers | None = state.bounds.strangers
        """Where it is counted until a caller is known; None afterwards."""
        self._waiting: deque[Cycle] = deque()
        self._parser = httptools.HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)  # what was pipelined before is answered all the same

    # ---- the connection

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's transport
        """The head of the first request is awaited."""
        self.state.connections.add(self)
        self.transport = transport
        self.flow = FlowControl(transport)
        self.flow.begin()
        scheme = "http" if transport.get_extra_info("sslcontext") is None else "https"
        client = address_of(transport, "peername")
        self._ends = {"server": address_of(transport, "sockname"), "client": client, "scheme": scheme, "root_path": "", "asgi": _ASGI}
        self._in_head = True
        self._set_deadline(HEAD_PATIENCE)
        if self._strangers is not None:
            if self.handshake is not None:
                self._strangers.leave(self.handshake)
            self._strangers.enter(self, client[0] if client else "")

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more, and whoever works for the client is told."""
        del exc  # however it ended
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._strangers is not None:
            self._strangers.leave(self)
            self._strangers = None
        if self._party is not None:
            self.state.bounds.connections.give(self._party)
            self._party = None
        self.flow.lost()
        for cycle in (self.cycle, self._running):
            if cycle is not None and not cycle.response_complete:
                cycle.leave()
        self.state.lost(self)
        del self._parser  # each holds the other

    def pause_writing(self) -> None:
        """The client does not read."""
        self.flow.pause_writing()

    def resume_writing(self) -> None:
        """It reads on."""
        self.flow.resume_writing()

    def shutdown(self) -> None:
        """The listener closes: finish what runs, and hang up."""
        if self.cycle is None or self.cycle.response_complete:
            self.flow.hang_up(GOODBYE)
        else:
            self.cycle.keep_alive = False

    # ---- what arrives

    def data_received(self, data: bytes) -> None:
        """Parse, unless the connection ends. Heads are refused while they are read, not once they are whole."""
        if self._discarding:
            self._drop(len(data))
            return
        self._refusals = 0
        while data:
            data = self._read(data)

    def _read(self, data: bytes) -> bytes:
        """Parse; what is to be read again is returned."""
        self._arriving = len(data)
        if self._in_head:
            self._head_size += len(data)
        elif self._in_body:
            self._framing_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as end:
            return self._without_upgrade(data[end.args[0] :])
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.fault if isinstance(cause, HeadError) else None)
            return b""
        most = self._limits.size
        if (self._in_head and self._head_size > most) or (self._in_body and self._framing_size > most):
            self._refuse(HeadFault.TOO_LARGE)
        elif self._strangers is not None:
            self._strangers.hold(self, self._held())
        return b""

    def on_message_begin(self) -> None:
        """A head begins."""
        if self._discarding:
            raise HeadError  # stops the parser: nobody will answer
        self.url, self.headers, self._hosts, self.expect_100_continue = b"", [], [], False
        if not self._in_head:
            self._in_head = True
            self._head_size, self._came_before = 0, self._arriving
            self._set_deadline(HEAD_PATIENCE)

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self.url += url
        if len(self.url) > self._limits.line:
            raise HeadError

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or behind a body a trailer."""
        headers, limits, name = self.headers, self._limits, name.lower()
        headers.append((name, value))
        if len(headers) > limits.lines or len(name) + len(value) > limits.line:
            raise HeadError
        if name == b"host":
            self._hosts.append(value)
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        """The head is whole: the work begins, and what follows the body is put aside."""
        if self._head_size > self._limits.size and size_of(self.url, self.headers) > self._limits.size:
            raise HeadError
        if self._parser.should_upgrade():
            self._upgrading = True
            return
        if len(self._waiting) >= MOST_PIPELINED:
            raise HeadError(HeadFault.CROWDED)
        self._in_head, self._in_body, self._due, self._head_size, self._framing_size, self._dropped = False, True, 0.0, 0, 0, 0
        parser = self._parser
        version = parser.get_http_version()
        check_head(version, self._hosts)
        raw_path, query = target_of(self.url)
        path = raw_path.decode("ascii")
        scope: dict[str, Any] = {
            "type": "http",
            **self._ends,
            "http_version": version,
            "headers": self.headers,
            "state": {},
            "method": parser.get_method().decode("ascii"),
            "path": urllib.parse.unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
        }
        self.cycle = cycle = Cycle(self, scope, keep_alive=version != "1.0" and parser.should_keep_alive())
        scope["extensions"] = {GONE: cycle.on_leave, ARRIVED: cycle.arrived, AUTHENTICATED: self._authenticated}
        if self.transport.is_closing():  # after a refusal that closes: nobody would be answered
            cycle.response_complete = True
        elif self._running is None or self._running.response_complete:
            if not self._begin(cycle):
                self.on_response_complete()
        else:  # pipelined: one after the other
            self.flow.pause_reading()
            self._waiting.append(cycle)
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """A part of a body. Where its request has been answered already, nobody wants it."""
        self._framing_size = 0
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self._drop(len(body))
            return
        cycle.body += body
        if len(cycle.body) > _READ_AHEAD:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        """A request is whole."""
        cycle = self.cycle
        if self._upgrading or cycle is None:
            return
        self._in_body = False
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()
        elif cycle is self._running and not self._discarding and not self.transport.is_closing():  # the rest of it was waited for
            self._set_deadline(KEEP_ALIVE)

    def _without_upgrade(self, rest: bytes) -> bytes:
        """A request that would change the protocol, as if it did not say so: there is no other here.

        The parser takes such a request for one without a body, and what follows for the other protocol's. So another parser reads the head
        again, without what asks for the change, and then the rest. It is how Java's own client begins.
        """
        self._upgrading = False
        method = self._parser.get_method()
        if method == b"CONNECT" or self._discarding or self.transport.is_closing():
            self._refuse(None)
            return b""
        head = without_upgrade(method, self.url, self._parser.get_http_version(), self.headers)
        self._parser = httptools.HttpRequestParser(self)
        self._head_size = 0
        return head + rest

    def _held(self) -> int:
        """What is kept of a stranger's, or a little more: where one request ends and the next begins, the parser does not tell."""
        if self._in_head:
            return self._came_before + self._head_size
        return self._arriving if self._waiting else self._running.size if self._running is not None else 0

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > MOST_DROPPED:
            self.transport.abort()

    # ---- who is known, and who is not wanted

    def _authenticated(self, party: Party) -> bool:
        """See AUTHENTICATED. A connection belongs to whoever has shown a credential first, such as a proxy's first client."""
        if self._strangers is None:
            return True
        if not self.state.bounds.connections.take(party):
            return False
        self._party = party
        self._strangers.leave(self)
        self._strangers = None
        return True

    def crowd_out(self) -> None:
        """See `Stranger`."""
        self._strangers = None
        if self.flow.unsent:
            return self.transport.abort()  # who does not read what it is told is not told more, nor waited for
        self._refuse(HeadFault.CROWDED)
        if self._running is not None and not self._running.response_complete:
            self._running.body.clear()
            self._running.leave()  # nobody works for it any more
        return self.flow.hang_up(CROWDED_OUT)

    def _refuse(self, fault: HeadFault | None) -> None:
        """Answer for the last time, once the requests before have been answered, and hear nothing more. None: it is not HTTP."""
        if self._discarding:
            return
        self._discarding = True
        path = self.url[: self._limits.line].partition(b"?")[0]
        scope = {"path": path.decode("latin-1"), "headers": self.headers or [], "method": ""}
        self._final_refusal = NOT_HTTP if fault is None else self._door.fault(fault, scope) if self._door is not None else FAULTS[fault]
        self.headers = []
        running = self._running
        if running is not None and not running.response_complete:
            if not self._in_body or self.cycle is not running or running.response_started:
                return
            running.disconnected = True  # its own body is at fault: this is its answer
            self._send_final_refusal()
            running.leave()
        else:
            self._send_final_refusal()

    def _send_final_refusal(self) -> None:
        refusal, self._final_refusal = self._final_refusal, None
        if refusal is None or self.transport.is_closing():
            return
        self.transport.write(last_answer(refusal))
        if self.flow.write_paused:  # who does not read what it is told is not waited for
            self.transport.abort()
            return
        self.flow.resume_reading()
        if self.transport.can_write_eof():  # TLS cannot: the head says that it is the end
            self.transport.write_eof()
        self._set_deadline(LINGERING)

    # ---- the answers

    def on_response_complete(self) -> None:
        """An answer is whole: the next request is awaited, or begins where it is there already."""
        while not self.transport.is_closing():
            self.flow.resume_reading()
            if not self._waiting:
                if self._final_refusal is not None:
                    self._send_final_refusal()
                elif not self._in_head:
                    if self._strangers is not None:
                        self._strangers.hold(self, 0)
                    self._set_deadline(LINGERING if self._in_body else KEEP_ALIVE)
                return
            if self._begin(self._waiting.popleft()):
                return

    def _begin(self, cycle: Cycle) -> bool:
        """Let a request in, and work on it. False where it is refused, which is its answer."""
        self._running = cycle
        refusal = None if self._door is None else self._door.enter(cycle.scope)
        if refusal is None:
            state = self.state
            task = self._loop.create_task(cycle.run(state.app))
            state.tasks.add(task)
            task.add_done_callback(state.tasks.discard if self._door is None else partial(self._ended, cycle))
            cycle.door = self._door
            if self._strangers is not None:
                self.flow.pause_reading()  # whoever reads the body knows the caller
            return True
        self._refusals += 1
        if self._refusals > MOST_PIPELINED:  # or a turn of the loop would be refusals alone
            cycle.response_complete = self._discarding = True
            self._final_refusal = refusal
            self._send_final_refusal()
            return True
        cycle.refuse(refusal)
        if self.flow.write_paused:  # who does not read what it is told is not told more, nor waited for
            self.transport.abort()
        return False

    def _ended(self, cycle: Cycle, task: asyncio.Task[None]) -> None:
        self.state.tasks.discard(task)
        cycle.leave_door()

    def _set_deadline(self, seconds: float) -> None:
        """Give the client so many seconds. The timer never runs longer than a head may take, and so never fires late for it."""
        self._due = self._loop.time() + seconds
        if seconds < HEAD_PATIENCE and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_later(min(seconds, HEAD_PATIENCE), self._check_deadline)

    def _check_deadline(self) -> None:
        self._timer = None
        if not self._due or self.transport.is_closing():
            return
        left = self._due - self._loop.time()
        if left <= 0:
            self.flow.hang_up()
        else:
            self._timer = self._loop.call_later(min(left, HEAD_PATIENCE), self._check_deadline)
