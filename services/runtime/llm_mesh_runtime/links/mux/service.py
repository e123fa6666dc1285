"""The callee's end of one connection: runs the handlers that plain gRPC runs, and says how they end."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError

from llm_mesh.link.v1 import link_pb2
from llm_mesh_runtime.errors import MeshError, RuntimeFault
from llm_mesh_runtime.links.local.deadlines import CallDeadlines
from llm_mesh_runtime.links.mux.flow import Inflow, Outflow
from llm_mesh_runtime.links.mux.outbox import FrameQueue
from llm_mesh_runtime.links.mux.room import ReceiveBudget
from llm_mesh_runtime.links.mux.served import Served
from llm_mesh_runtime.links.mux.wire import (
    CANCEL,
    CREDIT,
    END,
    GO_AWAY,
    HEADERS,
    HELLO,
    MAX_BATCH,
    MAX_CALLS,
    MESSAGE,
    OPEN,
    PIECE,
    PING,
    TOO_LONG,
    Metadata,
    checked,
    draining,
    hello,
    packed,
    refuse,
    unpacked,
    violation,
)

if TYPE_CHECKING:
    from llm_mesh_runtime.links.local.exchange import CallState
    from llm_mesh_runtime.pipeline import Wrapped

_LAST_WRITE = 5.0
_OK = grpc.StatusCode.OK
_UNIMPLEMENTED: int = grpc.StatusCode.UNIMPLEMENTED.value[0]


class ServedCalls:
    """The calls that a server works on, over all of its connections."""

    def __init__(self) -> None:
        self.running: set[CallState] = set()
        self.deadlines = CallDeadlines()


class Incoming:
    """One stream from one instance of a caller, which has proven to be `service`."""

    def __init__(self, name: str, service: str, peer: str, handlers: Mapping[str, Wrapped], work: ServedCalls) -> None:
        self.peer = peer
        self.calls: dict[int, Served] = {}
        self.outbox = FrameQueue(link_pb2.ConnectResponse, self.calls.__len__)
        self._name = name
        self._service = service
        self._handlers = handlers
        self._work = work
        self._room = ReceiveBudget()
        self._limits: link_pb2.Hello | None = None
        self._highest = 0
        self._away = False

    # ---- life

    async def run(self, requests: AsyncIterator[bytes], write: Callable[[bytes], Awaitable[None]]) -> None:
        """Serve calls until the caller half-closes, or goes; or until the last call after `go_away`."""
        reader = asyncio.ensure_future(self._read(requests))
        writer = asyncio.ensure_future(self.outbox.run(write))
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
            if reader.done():
                await self._ended_first(reader, writer)
            await writer
        finally:
            for task in (reader, writer):
                task.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)
            self.lost()

    async def _ended_first(self, reader: asyncio.Future[None], writer: asyncio.Future[None]) -> None:
        """The caller has said all, or broke a rule: then it is told, after the write that runs, since gRPC takes one at a time."""
        if reader.exception() is None:
            self.lost()
            return
        self.outbox.drop()
        await asyncio.wait({writer}, timeout=_LAST_WRITE)
        reader.result()

    async def _read(self, requests: AsyncIterator[bytes]) -> None:
        async for raw in requests:
            self.received(raw)

    def go_away(self, serves: float) -> None:
        """Ask the caller to use another connection; after `serves` seconds no new calls are taken."""
        self.outbox.add(0, kind=GO_AWAY, serves_micros=int(serves * 1e6))
        if serves <= 0:
            self._away = True
            self._close_if_done()

    def lost(self) -> None:
        """The caller is gone: its calls are cancelled at once."""
        self.outbox.close()
        calls = tuple(self.calls.values())
        self.calls.clear()
        for call in calls:
            _drop(call)

    def _close_if_done(self) -> None:
        if self._away and not self.calls:
            self.outbox.close()

    # ---- what arrives

    def received(self, raw: bytes) -> None:
        """One message of the stream. Raises where it breaks the link's rules."""
        if len(raw) > MAX_BATCH:
            raise violation("a batch has at most 1 MiB")
        try:
            frames = link_pb2.ConnectRequest.FromString(raw).frames
        except DecodeError:
            raise violation("a batch is a ConnectRequest") from None
        calls = self.calls
        for frame in frames:
            kind = frame.kind
            if kind == OPEN:
                self._open(frame)
                continue
            number = frame.call
            call = calls.get(number)
            if call is not None:
                self._step(call, kind, frame)
            elif number > self._highest:
                raise violation("a call begins with OPEN")
            elif not number:
                self._own(kind, frame)

    def _open(self, frame: Any) -> None:  # noqa: ANN401 - a frame
        number = frame.call
        limits = self._limits
        if limits is None:
            raise violation("the first frame is HELLO")
        if number <= self._highest:
            raise violation("the numbers of calls rise")
        self._highest = number
        metadata = frame.metadata
        timeout = frame.timeout_micros
        if len(self.calls) + self.outbox.unsent >= 2 * MAX_CALLS:  # ends that are on their way count for the caller, too
            raise violation("no more calls at once than HELLO allows")
        wrapped = self._handlers.get(frame.method)
        if wrapped is None:
            self.outbox.end(0, call=number, kind=END, code=_UNIMPLEMENTED, details="Method not found!")
            return
        if self._away:
            self._refuse(number, draining(self._name))
            return
        deadline = time.monotonic() + timeout / 1e6 if timeout else None
        call = Served(self, number, unpacked(metadata) if metadata else (), deadline, self._service, wrapped)
        self.calls[number] = call
        if deadline is None or call.guarded(self._work.deadlines):
            self._begin(call, frame, limits)

    def _begin(self, call: Served, frame: Any, limits: link_pb2.Hello) -> None:  # noqa: ANN401 - a frame
        method = call.wrapped.method
        if method.response_streaming:
            outflow = Outflow()
            outflow.bind(self.outbox, call.number, limits.window, limits.max_piece)
            call.stream_answers(outflow)
        if not method.request_streaming:
            message = frame.message
            if (message or frame.HasField("message")) and not frame.more:
                if len(message) > PIECE:
                    raise violation(TOO_LONG)
                call.begin(message, self._work)
                return
            inflow = Inflow()
            inflow.bind(self.outbox, call.number, self._room)
            call.inflow = inflow
        else:
            inflow = Inflow()
            inflow.bind(self.outbox, call.number, self._room)
            call.stream_requests(inflow)
            call.begin(inflow, self._work)
        self._step(call, MESSAGE, frame)

    def _step(self, call: Served, kind: int, frame: Any) -> None:  # noqa: ANN401 - a frame
        try:
            if kind == MESSAGE:
                self._message(call, frame)
            elif kind == CREDIT:
                if call.outflow is not None:
                    call.outflow.grant(frame.credit)
            elif kind == CANCEL:
                del self.calls[call.number]
                _drop(call)
                self._close_if_done()
        except RuntimeFault as fault:  # a message that is too large ends its call only
            refuse(call, fault)

    def _message(self, call: Served, frame: Any) -> None:  # noqa: ANN401 - a frame
        inflow = call.inflow
        brings = frame.message or frame.HasField("message")
        if inflow is None or inflow.closed:
            if brings:
                raise violation("no message follows the last one")
            return
        message = inflow.arrive(frame) if brings else None
        if call.requests is None:
            if message is not None:
                inflow.close()
                call.begin(message, self._work)
            elif frame.last and not frame.more:
                raise violation("a unary call has a request")
            return
        if message is not None:
            inflow.push(message)
        if frame.last and not frame.more:
            inflow.close()

    def _own(self, kind: int, frame: Any) -> None:  # noqa: ANN401 - a frame
        if kind == HELLO:
            if self._limits is not None:
                raise violation("HELLO comes once")
            self._limits = checked(frame, serves=False)
            self.outbox.add(64, kind=HELLO, hello=hello())
        elif self._limits is None:
            raise violation("the first frame is HELLO")
        elif kind == PING:
            self.outbox.pong(frame.ping)
        elif kind in {MESSAGE, HEADERS, END, CANCEL, CREDIT}:
            raise violation("frames of calls name their call")

    def _refuse(self, number: int, fault: MeshError) -> None:
        from llm_mesh_runtime.status import trailers  # noqa: PLC0415 - google.rpc is only loaded once something fails

        flat = packed(trailers(fault))
        size = sum(map(len, flat)) + len(fault.message)
        self.outbox.end(size, call=number, kind=END, code=fault.code.value[0], details=fault.message, metadata=flat, refused=True)

    # ---- what the handlers say

    def headers(self, call: Served, metadata: Metadata) -> None:
        """The initial metadata of a call."""
        if call.number in self.calls:
            flat = self._metadata(metadata)
            if flat is None:
                call.finish(grpc.StatusCode.RESOURCE_EXHAUSTED, "the initial metadata are larger than the peer takes")
            else:
                self.outbox.add(sum(map(len, flat)), call=call.number, kind=HEADERS, metadata=flat)

    def finished(self, call: Served) -> None:
        """The status of a call, after everything that its handler has written."""
        if self.calls.get(call.number) is not call:
            return
        response, limits = call.response, self._limits
        if response is not None and limits is not None and len(response) > limits.max_piece and call.code is _OK:
            call.response = None
            call.outflow = Outflow()
            call.outflow.bind(self.outbox, call.number, limits.window, limits.max_piece)
            call.outflow.queue(response)
        if call.outflow is None:
            self._end(call)
        else:
            call.outflow.then(functools.partial(self._end, call))

    def _end(self, call: Served) -> None:
        number, code, details = call.number, call.code or grpc.StatusCode.UNKNOWN, call.details
        del self.calls[number]
        trailing: list[bytes] | None = None
        if call.trailing:
            trailing = self._metadata(call.trailing)
            if trailing is None:
                code, details = grpc.StatusCode.RESOURCE_EXHAUSTED, "the trailing metadata are larger than the peer takes"
        if code is _OK:
            self.outbox.end(len(call.response or b""), call=number, kind=END, message=call.response, metadata=trailing)
        else:
            size = len(details) + sum(map(len, trailing or ()))
            self.outbox.end(size, call=number, kind=END, code=code.value[0], details=details, metadata=trailing)
        if self._away:
            self._close_if_done()

    def _metadata(self, metadata: Metadata) -> list[bytes] | None:
        flat = packed(metadata)
        fits = self._limits is not None and sum(map(len, flat)) <= self._limits.max_metadata
        return flat if fits else None


def _drop(call: Served) -> None:
    call.finish(grpc.StatusCode.CANCELLED, "the caller is gone")
    if call.outflow is not None:
        call.outflow.discard()
