"""The caller's end of one connection: opens calls, and hands what arrives to them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import grpc
from google.protobuf.message import DecodeError

from llm_mesh.link.v1 import link_pb2
from llm_mesh_runtime.errors import MeshError, RuntimeFault
from llm_mesh_runtime.links.mux.flow import Inflow, Requests
from llm_mesh_runtime.links.mux.outbox import FrameQueue
from llm_mesh_runtime.links.mux.room import ReceiveBudget
from llm_mesh_runtime.links.mux.wire import (
    CANCEL,
    CODES,
    CREDIT,
    END,
    GO_AWAY,
    HEADERS,
    MAX_BATCH,
    MESSAGE,
    OPEN,
    PIECE,
    PING,
    TOO_LONG,
    packed,
    refuse,
    too_large,
    unavailable,
    unpacked,
    violation,
)

if TYPE_CHECKING:
    from llm_mesh_runtime.links.mux.called import ClientCall

_OK = grpc.StatusCode.OK
QUIET = 10.0
"""Seconds without a word after which the peer is asked whether it is there."""
PATIENCE = 20.0
"""Seconds without a word after that, and it is not."""


class Queue(Protocol):
    """Calls that wait for room."""

    waiting: dict[ClientCall, None]

    def freed(self) -> None:
        """There may be room."""

    def again(self, call: ClientCall) -> None:
        """A call that its callee did not begin, since it goes away."""


class LinkConnection:
    """One stream to one instance of the peer."""

    def __init__(self, peer: str, limits: link_pb2.Hello) -> None:
        self.peer = peer
        self.limits = limits
        self.calls: dict[int, ClientCall] = {}
        self.outbox = FrameQueue(link_pb2.ConnectRequest, self.calls.__len__)
        self._room = ReceiveBudget()
        self._next = 1
        self._queue: Queue | None = None
        self._most = limits.max_calls
        self._piece = limits.max_piece
        self._metadata = limits.max_metadata
        self.leaving: Callable[[bool], None] = _left
        """Called when the peer goes away, with whether it still takes calls."""
        self._last_frame = time.monotonic()
        self._retired = False

    @property
    def open(self) -> bool:
        """Whether it takes one more call."""
        return len(self.calls) < self._most and not self.outbox.closed

    def attach(self, queue: Queue) -> None:
        """Tell the queue when there is room for calls that wait in it."""
        self._queue = queue

    def place(self, call: ClientCall) -> None:
        """Open a call."""
        first, metadata, weight = call.first, None, len(call.method)
        if call.metadata:
            metadata = packed(call.metadata)
            size = sum(map(len, metadata))
            if size > self._metadata:
                call.finish(
                    grpc.StatusCode.RESOURCE_EXHAUSTED, f"the metadata are larger than the {self._metadata} bytes that the peer takes"
                )
                return
            weight += size
        number = self._next
        self._next = number + 1
        self.calls[number] = call
        call.number = number
        call.carrier = self
        remaining = call.time_remaining()
        timeout = None if remaining is None else int(remaining * 1e6) or 1
        if call.inflow is not None:
            call.inflow.bind(self.outbox, number, self._room)
        if first is not None and len(first) <= self._piece:
            weight += len(first)
            self.outbox.add(
                weight, call=number, kind=OPEN, method=call.method, timeout_micros=timeout, metadata=metadata, message=first, last=True
            )
        else:
            self.outbox.add(weight, call=number, kind=OPEN, method=call.method, timeout_micros=timeout, metadata=metadata)
            self._send(call)

    def _send(self, call: ClientCall) -> None:
        """Requests that do not fit into the first frame."""
        first = call.first
        if first is not None:
            if len(first) > self.limits.max_message:
                refuse(call, too_large())
                return
            call.outflow = Requests()
            call.outflow.queue(first)
            call.outflow.close()
        if call.outflow is not None:
            call.outflow.bind(self.outbox, call.number, self.limits.window, self._piece)

    def give_up(self, call: ClientCall) -> None:
        """The caller has cancelled, or its deadline has passed."""
        if self.calls.pop(call.number, None) is not None:
            self.outbox.add(0, call=call.number, kind=CANCEL)
            self._ended()

    def retire(self) -> None:
        """Take no more calls, and end after the last one."""
        self._retired = True
        if not self.calls:
            self.outbox.close()

    def lost(self) -> None:
        """The stream has ended: so have its calls."""
        self.outbox.close()
        calls = tuple(self.calls.values())
        self.calls.clear()
        for call in calls:
            call.carrier = None
            refuse(call, unavailable(self.peer))

    # ---- what arrives

    def received(self, raw: bytes) -> None:
        """One message of the stream. Raises where it breaks the link's rules."""
        self._last_frame = time.monotonic()
        if len(raw) > MAX_BATCH:
            raise violation("a batch has at most 1 MiB")
        try:
            frames = link_pb2.ConnectResponse.FromString(raw).frames
        except DecodeError:
            raise violation("a batch is a ConnectResponse") from None
        calls = self.calls
        for frame in frames:
            call = calls.get(frame.call)
            if call is not None:
                kind = frame.kind
                if kind == END and call.inflow is None:
                    self._end_unary(call, frame)
                else:
                    self._step(call, kind, frame)
            elif not frame.call:
                self._own(frame)
            elif frame.call >= self._next:
                raise violation("only the caller opens calls")

    def _step(self, call: ClientCall, kind: int, frame: Any) -> None:  # noqa: ANN401 - a frame
        try:
            if kind == END:
                self._end(call, frame)
            elif kind == MESSAGE:
                self._message(call, frame)
            elif kind == CREDIT:
                if call.outflow is not None:
                    call.outflow.grant(frame.credit)
            elif kind == HEADERS:
                if call.initial is not None:
                    raise violation("initial metadata come once, and first")
                call.begun(unpacked(frame.metadata))
        except RuntimeFault as fault:  # a message that is too large ends its call only
            refuse(call, fault)

    def _message(self, call: ClientCall, frame: Any) -> None:  # noqa: ANN401 - a frame
        if call.initial is None:
            call.begun(())
        inflow = call.inflow
        if inflow is None:
            inflow = call.inflow = Inflow()
            inflow.bind(self.outbox, call.number, self._room)
        message = inflow.arrive(frame)
        if message is None:
            return
        if call.streams:
            inflow.push(message)
        elif call.response is None:
            call.response = message
        else:
            raise violation("a unary answer is one message")

    def _end_unary(self, call: ClientCall, frame: Any) -> None:  # noqa: ANN401 - a frame
        """The whole answer, or why there is none, in one frame."""
        code, trailing, message = frame.code, frame.metadata, frame.message
        if trailing:
            call.trailing = unpacked(trailing)
        if len(message) > PIECE:
            raise violation(TOO_LONG)
        del self.calls[call.number]
        call.carrier = None
        if code:
            self._failed(call, code, frame)
        else:
            call.response = message
            call.finish(_OK, "")
        if self._retired or self._queue is not None:
            self._ended()

    def _end(self, call: ClientCall, frame: Any) -> None:  # noqa: ANN401 - a frame
        if frame.HasField("message"):
            self._message(call, frame)
        code = frame.code
        if frame.metadata:
            call.trailing = unpacked(frame.metadata)
        del self.calls[call.number]
        call.carrier = None
        self._failed(call, code, frame)
        self._ended()

    def _failed(self, call: ClientCall, code: int, frame: Any) -> None:  # noqa: ANN401 - a frame
        if frame.refused and self._queue is not None and call.begin_anew():
            self._queue.again(call)
        else:
            call.finish(CODES.get(code, grpc.StatusCode.UNKNOWN), frame.details)

    def _own(self, frame: Any) -> None:  # noqa: ANN401 - a frame
        kind = frame.kind
        if kind == PING:
            self.outbox.pong(frame.ping)
        elif kind == GO_AWAY:
            self.leaving(frame.serves_micros > 0)
        elif kind in {OPEN, MESSAGE, HEADERS, END, CANCEL, CREDIT}:
            raise violation("frames of calls name their call")

    def _ended(self) -> None:
        queue = self._queue
        if queue is not None and queue.waiting:
            queue.freed()
        if self._retired and not self.calls:
            self.outbox.close()

    # ---- life

    async def run(self, call: Any) -> MeshError | None:  # noqa: ANN401 - grpc's stream-stream call
        """Carry calls until the stream ends. The peer's fault where it broke the rules."""
        reader = asyncio.ensure_future(self._read(call))
        writer = asyncio.ensure_future(self._write(call))
        watch = asyncio.ensure_future(self._watch())
        try:
            await asyncio.wait({reader, writer, watch}, return_when=asyncio.FIRST_COMPLETED)
            if writer.done():  # all is said: the peer ends the stream, or has ended it
                writer.result()
                await asyncio.wait({reader}, timeout=PATIENCE)
            return reader.result() if reader.done() else None
        finally:
            for task in (reader, writer, watch):
                task.cancel()
            await asyncio.gather(reader, writer, watch, return_exceptions=True)
            self.lost()

    async def _read(self, call: Any) -> MeshError | None:  # noqa: ANN401 - see above
        try:
            while (raw := await call.read()) is not grpc.aio.EOF:
                self.received(raw)
        except grpc.aio.AioRpcError:
            return None  # the connection was lost, or the peer ended it; the pool makes another
        except MeshError as fault:
            return fault
        return None

    async def _write(self, call: Any) -> None:  # noqa: ANN401 - see above
        try:
            await self.outbox.run(call.write)
            await call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return  # the stream is over: the reader knows why

    async def _watch(self) -> None:
        """Returns once the peer is silent although it was asked."""
        pending = 0
        while True:
            quiet = time.monotonic() - self._last_frame
            if quiet >= QUIET + PATIENCE and pending:
                return
            if quiet >= QUIET:
                pending += 1
                self.outbox.add(0, kind=PING, ping=pending)
            else:
                pending = 0
            await asyncio.sleep(QUIET / 2)


def _left(_serves: bool) -> None:  # noqa: FBT001 - the callback's form
    """Nobody asks."""
