"""How uvicorn reads a connection, with what it leaves out, and without what a request need not pay.

uvicorn with httptools appends the trailers of a chunked body to the headers, where a stranger behind a trusting proxy could add
headers that nobody checked; it waits for ever for a head that does not come, reads heads of any size, and any number of requests ahead.
It sets two timers per request; here a connection has one. What strangers hold is bounded: until a caller is known no more of a request
is read than arrives with its head.
"""

from __future__ import annotations

import asyncio
import urllib.parse
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from llm_mesh_runtime.http.cycle import Cycle, Names
from llm_mesh_runtime.service import HeadFault, Refusal

if TYPE_CHECKING:
    import uvicorn
    from uvicorn.server import ServerState

    from llm_mesh_runtime.http.bounds import HttpBounds
    from llm_mesh_runtime.http.unauthenticated import Strangers
    from llm_mesh_runtime.service import HeadFilter
    from llm_mesh_runtime.shares import Party

HEAD_PATIENCE = 20.0
GONE = "llm_mesh.gone"
"""Extension of the scope: takes a function that is called once, when the client leaves before it has its whole answer."""
ARRIVED = "llm_mesh.arrived"
"""Extension of the scope: gives the body if all of it is there, so that it need not be waited for."""
AUTHENTICATED = "llm_mesh.authenticated"
"""Extension of the scope: takes the party that the caller is, once its credential is known to be valid. Until then no more of the
request is read than arrived with its head. False: the party has too many connections."""
LINGERING = 10.0
"""Seconds for which a client may go on sending what nobody will read. Closed at once, it would lose its answer: TCP resets."""
MOST_DROPPED = 64 * 1024 * 1024
MOST_PIPELINED = 32
"""Requests on a connection that wait for the one before them."""

_UPGRADE = frozenset({b"upgrade", b"connection", b"http2-settings"})
_EXPECT_LENGTH = len(b"expect")
_TEXT = (b"content-type", b"text/plain; charset=utf-8")


def _plain(status: int, text: bytes) -> Refusal:
    return Refusal(status, (_TEXT, (b"content-length", b"%d" % len(text))), text)


_NOT_HTTP = _plain(400, b"Invalid HTTP request received.")
_PLAIN = {HeadFault.TOO_LARGE: _plain(431, b"the head is too large\n"), HeadFault.CROWDED: _plain(429, b"too many connections\n")}


class _HeadError(Exception):
    """More arrives than is read."""

    def __init__(self, fault: HeadFault = HeadFault.TOO_LARGE) -> None:
        super().__init__(fault.value)
        self.fault = fault


class Protocol(HttpToolsProtocol):
    """One connection."""

    url = b""
    _timer: asyncio.TimerHandle | None = None
    _due = 0.0
    """When the client must have done what is awaited of it, by the loop's clock. 0: nothing is awaited."""
    _in_head = False
    _in_body = False
    _running: Cycle | None = None
    """The request that is being answered; behind it others may wait, of which uvicorn knows the last as `cycle`."""
    _deaf = False
    """Whether whatever still comes is dropped: the connection ends."""
    _last_words: Refusal | None = None
    """What is said once the requests before have been answered, instead of the next answer."""
    _head_size = 0
    _framing_size = 0
    """Bytes that came since the last part of a body, such as trailers."""
    _dropped = 0
    _refusals = 0
    """Requests that were refused since something arrived."""
    _party: Party | None = None
    _upgrading = False
    """Whether the parser ends with a head that asks for another protocol."""

    def __init__(self, config: uvicorn.Config, state: ServerState, door: HeadFilter | None, names: Names, bounds: HttpBounds) -> None:
        super().__init__(config, state, {})
        self._door = door
        self._asgi = {"version": self.asgi_version, "spec_version": "2.3"}
        self._bounds = bounds
        self._limits = bounds.head
        self._strangers: Strangers | None = bounds.strangers
        """Where it is counted until a caller is known; None afterwards."""
        self.names = names

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's transport
        """The head of the first request is awaited."""
        super().connection_made(transport)
        self._in_head = True
        self._await(HEAD_PATIENCE)
        if self._strangers is not None:
            self._strangers.enter(self, self.client[0] if self.client else "")

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more, and whoever works for the client is told."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._strangers is not None:
            self._strangers.leave(self)
        if self._party is not None:
            self._bounds.connections.give(self._party)
            self._party = None
        self._strangers = None
        super().connection_lost(exc)
        if self._running is not None and not self._running.response_complete:
            self._running.leave()

    # ---- what arrives

    def data_received(self, data: bytes) -> None:
        """Parse, unless the connection ends. Heads are refused while they are read, not once they are whole."""
        if self._deaf:
            self._drop(len(data))
            return
        self._refusals = 0
        while data:
            data = self._read(data)

    def _read(self, data: bytes) -> bytes:
        """Parse; what is to be read again is answered."""
        if self._in_head:
            self._head_size += len(data)
        elif self._in_body:
            self._framing_size += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as end:
            return self._without_upgrade(data[end.args[0] :])
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.fault if isinstance(cause, _HeadError) else None)
            return b""
        most = self._limits.size
        if (self._in_head and self._head_size > most) or (self._in_body and self._framing_size > most):
            self._refuse(HeadFault.TOO_LARGE)
        elif self._strangers is not None:
            self._strangers.hold(self, self._head_size if self._in_head else self._running.size if self._running is not None else 0)
        return b""

    def on_message_begin(self) -> None:
        """A head begins."""
        if self._deaf:
            raise _HeadError  # stops the parser: nobody will answer
        self.url, self.headers, self.expect_100_continue = b"", [], False
        if not self._in_head:
            self._in_head = True
            self._head_size = 0
            self._await(HEAD_PATIENCE)

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self.url += url
        if len(self.url) > self._limits.line:
            raise _HeadError

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or behind a body a trailer."""
        headers, limits = self.headers, self._limits
        headers.append((name.lower(), value))
        if len(headers) > limits.lines or len(name) + len(value) > limits.line:
            raise _HeadError
        if len(name) == _EXPECT_LENGTH and value.lower() == b"100-continue" and name.lower() == b"expect":
            self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        """The head is whole: the work begins, and what follows the body is put aside."""
        if self._head_size > self._limits.size and self._size_of_head() > self._limits.size:
            raise _HeadError
        if self.parser.should_upgrade():
            self._upgrading = True
            return
        if len(self.pipeline) >= MOST_PIPELINED:
            raise _HeadError(HeadFault.CROWDED)
        self._in_head, self._in_body, self._due, self._head_size, self._framing_size = False, True, 0.0, 0, 0
        parser = self.parser
        version = parser.get_http_version()
        raw_path, query = _target(self.url)
        path = raw_path.decode("ascii")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": self._asgi,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": "",  # the listener stands at the root
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
            self.pipeline.appendleft((cycle, self.app))
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """A part of a body. Where its request has been answered already, nobody wants it."""
        self._framing_size = 0
        cycle = self.cycle
        if cycle.response_complete:
            self._drop(len(body))
            return
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._upgrading:
            return
        self._in_body = False
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()
        elif cycle is self._running and not self._deaf and not self.transport.is_closing():  # the rest of it was waited for
            self._await(self.timeout_keep_alive)

    def _without_upgrade(self, rest: bytes) -> bytes:
        """A request that would change the protocol, as if it did not say so: there is no other here.

        The parser takes such a request for one without a body, and what follows for the other protocol's. So another parser reads the head
        again, without what asks for the change, and then the rest. It is how Java's own client begins.
        """
        self._upgrading = False
        method = self.parser.get_method()
        if method == b"CONNECT" or self._deaf or self.transport.is_closing():
            self._refuse(None)
            return b""
        lines = [b"%b: %b\r\n" % header for header in self.headers if header[0] not in _UPGRADE]
        if b"close" in b",".join(value.lower() for name, value in self.headers if name == b"connection"):
            lines.append(b"connection: close\r\n")
        head = b"%b %b HTTP/%b\r\n" % (method, self.url, self.parser.get_http_version().encode())
        self.parser = httptools.HttpRequestParser(self)
        self._head_size = 0
        return b"".join((head, *lines, b"\r\n", rest))

    def _size_of_head(self) -> int:
        return len(self.url) + 16 + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > MOST_DROPPED:
            self.transport.abort()

    # ---- who is known, and who is not wanted

    def _authenticated(self, party: Party) -> bool:
        """See AUTHENTICATED. A connection belongs to whoever has shown a credential first, such as a proxy's first client."""
        if self._strangers is None:
            return True
        if not self._bounds.connections.take(party):
            return False
        self._party = party
        self._strangers.leave(self)
        self._strangers = None
        return True

    def crowd_out(self) -> None:
        """See `Stranger`."""
        self._strangers = None
        self._refuse(HeadFault.CROWDED)
        if self._running is not None and not self._running.response_complete:
            self._running.body.clear()
            self._running.leave()  # nobody works for it any more
        self.transport.close()

    def _refuse(self, fault: HeadFault | None) -> None:
        """Answer for the last time, once the requests before have been answered, and hear nothing more. None: it is not HTTP."""
        if self._deaf:
            return
        self._deaf = True
        path = self.url[: self._limits.line].partition(b"?")[0]
        scope = {"path": path.decode("latin-1"), "headers": self.headers or [], "method": ""}
        self._last_words = _NOT_HTTP if fault is None else self._door.fault(fault, scope) if self._door is not None else _PLAIN[fault]
        self.headers = []
        running = self._running
        if running is not None and not running.response_complete:
            if not self._in_body or self.cycle is not running or running.response_started:
                return
            running.disconnected = True  # its own body is at fault: this is its answer
            self._say_last_words()
            running.leave()
        else:
            self._say_last_words()

    def _say_last_words(self) -> None:
        refusal, self._last_words = self._last_words, None
        if refusal is None or self.transport.is_closing():
            return
        headers = [header for header in refusal.headers if header[0] != b"connection"]
        lines = [STATUS_LINE[refusal.status], *(b"%b: %b\r\n" % header for header in headers)]
        self.transport.write(b"".join([*lines, b"connection: close\r\n\r\n", refusal.body]))
        if self.flow.write_paused:  # who does not read what it is told is not waited for
            self.transport.abort()
            return
        self.flow.resume_reading()
        self.transport.write_eof()
        self._await(LINGERING)

    # ---- the answers

    def on_response_complete(self) -> None:
        """An answer is whole: the next request is awaited, or begins where it is there already."""
        self.server_state.total_requests += 1
        while not self.transport.is_closing():
            self.flow.resume_reading()
            if not self.pipeline:
                if self._last_words is not None:
                    self._say_last_words()
                elif not self._in_head:
                    self._await(LINGERING if self._in_body else self.timeout_keep_alive)
                return
            cycle, _ = self.pipeline.pop()
            if self._begin(cast("Cycle", cycle)):
                return
            self.server_state.total_requests += 1

    def _begin(self, cycle: Cycle) -> bool:
        """Let a request in, and work on it. False where it is refused, which is its answer."""
        self._running = cycle
        refusal = None if self._door is None else self._door.enter(cycle.scope)
        if refusal is None:
            task = self.loop.create_task(cycle.run_asgi(self.app))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard if self._door is None else partial(self._ended, cycle))
            cycle.door = self._door
            if self._strangers is not None:
                self.flow.pause_reading()  # whoever reads the body knows the caller
            return True
        self._refusals += 1
        if self._refusals > MOST_PIPELINED:  # or a turn of the loop would be refusals alone
            cycle.response_complete = self._deaf = True
            self._last_words = refusal
            self._say_last_words()
            return True
        cycle.refuse(refusal)
        if self.flow.write_paused:  # who does not read what it is told is not told more, nor waited for
            self.transport.abort()
        return False

    def _ended(self, cycle: Cycle, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        cycle.leave_door()

    def _await(self, seconds: float) -> None:
        """Give the client so many seconds. The timer never runs longer than a head may take, and so never fires late for it."""
        self._due = self.loop.time() + seconds
        if seconds < HEAD_PATIENCE and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self.loop.call_later(min(seconds, HEAD_PATIENCE), self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._due or self.transport.is_closing():
            return
        left = self._due - self.loop.time()
        if left <= 0:
            self.transport.close()
        else:
            self._timer = self.loop.call_later(min(left, HEAD_PATIENCE), self._look)


def _target(url: bytes) -> tuple[bytes, bytes]:
    """Path and query of what is asked for: nearly always what stands before and after the question mark."""
    if url.startswith(b"/") and b"#" not in url:
        path, _, query = url.partition(b"?")
        return path, query
    parsed = httptools.parse_url(url)
    return parsed.path, parsed.query or b""
