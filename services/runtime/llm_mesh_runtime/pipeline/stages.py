"""The stages of a call, written out as one coroutine per handler: no interceptor objects on the way of a request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import grpc

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.context import ANONYMOUS, FRAME, Caller, Frame
from llm_mesh_runtime.errors import MeshError, RuntimeFault, deadline_exceeded, internal
from llm_mesh_runtime.limiter import Limiter, Unlimited
from llm_mesh_runtime.pipeline.arriving import Unread
from llm_mesh_runtime.pipeline.bodies import MessageCodec, MethodGuard, ServiceGuard, body_of
from llm_mesh_runtime.pipeline.drain import Drain, Expiry, is_watch
from llm_mesh_runtime.pipeline.methods import Method
from llm_mesh_runtime.pipeline.transport import MAX_MESSAGE, Origin, Transport, address_of
from llm_mesh_runtime.pressure import Pressure, overloaded
from llm_mesh_runtime.shares import Party

Handler = Callable[[Any, Transport, Origin], Awaitable[bytes | None]]
_MAX_MESSAGE = 512
OPEN_STREAMS = 1024
"""Streams of one method at once that need no credential, shared among the addresses that they come from."""
OPEN_READERS = 4
"""The same for methods that read a stream of messages, such as reflection: gRPC reads each of them whole."""


class Watching(Protocol):
    """Sees each call of one method begin and end: metrics, traces, the access log."""

    def begin(self, frame: Frame) -> object:
        """A call has arrived. What this returns comes back to `end`."""

    def end(self, token: object, code: str, seconds: float) -> None:
        """The call has ended with the name of a status code."""


class Observer(Protocol):
    """Sees the calls of one service."""

    def method(self, method: Method) -> Watching:
        """Who sees the calls of one method."""


class Faults(Protocol):
    """Says what an exception means to the caller; None for a defect."""

    def fault_of(self, error: BaseException) -> MeshError | None:
        """The error to answer with."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A handler as the links serve it: bytes in, bytes out, all stages inside."""

    method: Method
    invoke: Handler
    """Takes the request's bytes (or an iterator of them, or `Unread`), the transport, the origin. Answers with bytes, or writes them."""
    head: Callable[[Frame], Any] | None = None
    """Gives the caller where the head of a call tells it without asking anybody; raises where it is refused at once."""

    def known(self, frame: Frame) -> Caller | None:
        """The caller where it is known already, so that the message may be read."""
        try:
            caller = ANONYMOUS if self.head is None else self.head(frame)
        except MeshError:
            return None
        return caller if isinstance(caller, Caller) else None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages of one service."""

    service: str
    limiter: Limiter
    pressure: Pressure
    access: ServiceGuard
    observer: Observer
    faults: Faults
    drain: Drain
    unary_deadline: float = 30.0
    stream_deadline: float = 600.0
    max_message: int = MAX_MESSAGE

    def wrap(self, method: Method) -> Wrapped:  # noqa: C901, PLR0915 (one coroutine is all stages, for the reason given)
        """The handler of one method with all stages around it.

        One coroutine is all stages: each further one would cost a call half a microsecond, and its stack a frame.
        """
        default = self.stream_deadline if method.request_streaming or method.response_streaming else self.unary_deadline
        watch = self.drain if is_watch(method) else None
        # Health and reflection need no slot, and are answered under pressure too; but whoever watches stays, and needs no credential.
        open_stream = method.rule is None and method.response_streaming
        limiter, pressure = Unlimited() if method.rule is None else self.limiter, self.pressure
        if open_stream:
            limiter = Limiter(OPEN_READERS if method.request_streaming else OPEN_STREAMS, 0)
        codec, written = MessageCodec(method, self.max_message), method.response_streaming
        access = self.access.of(method)
        body, head, serialise = body_of(method, access, codec), access.head, codec.serialise
        observer, faults, service, path = self.observer.method(method), self.faults, self.service, method.path

        async def answered(first: Any, transport: Transport, origin: Origin) -> bytes | None:  # noqa: ANN401, C901, PLR0912, PLR0915 (as above)
            frame = origin(transport)
            began = time.monotonic()
            frame.service, frame.method = service, path
            caller_deadline = frame.deadline
            deadline = frame.deadline = began + default if caller_deadline is None else caller_deadline
            expiry = Expiry(default) if caller_deadline is None else None
            FRAME.set(frame)
            seen = observer.begin(frame)
            fault, code = None, "OK"
            entered: Party | None = None
            try:
                caller = head(frame)  # before anything else of the call is looked at
                if watch is not None:
                    _stays(watch)
                entered = None if frame.calling else _let_in(access, caller, transport, pressure)
                if deadline <= began or not isinstance(caller, Caller):
                    caller = await _caller(access, caller, transport, late=deadline <= began)
                frame.caller, party = caller, Party(address_of(transport)) if open_stream else caller.party
                if isinstance(first, Unread):
                    first = await first.read(limiter, deadline, party)
                elif not limiter.enter_now(party):
                    await limiter.enter(deadline, party)
                try:
                    work = body(first, transport, frame)
                    first = None  # up to 32 MiB, which nobody needs any more
                    answer = await work
                    return None if written else serialise(answer)
                finally:
                    limiter.leave(party)
            except asyncio.CancelledError:
                fault = _why_cancelled(expiry, watch)
                code = "CANCELLED" if fault is None else fault.code.name
                if fault is None:
                    raise
            except grpc.aio.AbortError:
                code = "UNKNOWN"
                raise
            except grpc.aio.InternalError:  # gRPC's way to say that a message was written to a call whose client had left
                code = "CANCELLED"
                raise asyncio.CancelledError from None
            except Exception as error:  # noqa: BLE001 (the one place where exceptions become statuses)
                fault = faults.fault_of(error) or _defect(error, method, frame)
                code = fault.code.name
            finally:
                if expiry is not None:
                    expiry.stop()
                if entered is not None:
                    pressure.leave(entered)
                observer.end(seen, code, time.monotonic() - began)
            await _refuse(transport, fault)
            return None

        return Wrapped(method, answered, head)


async def _refuse(transport: Transport, fault: MeshError) -> None:
    from llm_mesh_runtime.status import clip, trailers  # noqa: PLC0415 (google.rpc is only loaded once something fails)

    # The frames that the fault passed through hold the message, and the fault: a ring, which would live until the next collection.
    fault.__traceback__ = fault.__cause__ = fault.__context__ = None
    trailing = tuple(transport.trailing_metadata() or ())
    await transport.abort(fault.code, clip(fault.message, _MAX_MESSAGE), trailing + trailers(fault))


def _defect(error: Exception, method: Method, frame: Frame) -> MeshError:
    from llm_mesh_runtime.log import get_logger  # noqa: PLC0415 (nothing is logged on the way of a good request)

    get_logger().error("handler failed", method=method.path, request_id=frame.request_id, exc_info=error)
    return internal()


async def _caller(access: MethodGuard, caller: Any, transport: Transport, *, late: bool) -> Caller:  # noqa: ANN401 (a caller or a question)
    """The caller of a head that policy is to be asked about. Only who is known is told that its time is up."""
    known = caller if isinstance(caller, Caller) else await access.ask(caller, address_of(transport))
    if late:
        raise deadline_exceeded("the deadline had passed before the work began")
    return known


def _stays(watch: Drain) -> None:
    if not watch.enter():
        raise _draining()


def _let_in(access: MethodGuard, caller: Any, transport: Transport, pressure: Pressure) -> Party | None:  # noqa: ANN401 (a caller or a question)
    """Whom the call counts to while it is work; None for those who need no credential."""
    party = caller.party if isinstance(caller, Caller) else access.party(caller, address_of(transport))
    if party is not None and not pressure.enter(party):
        raise overloaded()
    return party


def _why_cancelled(expiry: Expiry | None, watch: Drain | None) -> MeshError | None:
    """None where the caller went away: nobody is left to answer."""
    if expiry is not None and expiry.fired():
        return deadline_exceeded()
    return _draining() if watch is not None and watch.ended() else None


def _draining() -> MeshError:
    return RuntimeFault(errors_pb2.ERROR_REASON_DRAINING, "the service shuts down", retry_after=1.0)
