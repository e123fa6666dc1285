"""The stages of a call, written out as one coroutine per handler: no interceptor objects on the way of a request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
from google.protobuf.message import DecodeError

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.context import FRAME, REQUEST_ID, Caller, Frame, accepted_request_id, new_request_id
from llm_mesh_runtime.errors import MeshError, RuntimeFault, deadline_exceeded, internal
from llm_mesh_runtime.limiter import Limiter
from llm_mesh_runtime.pipeline.drain import Drain, is_watch
from llm_mesh_runtime.pipeline.methods import Method
from llm_mesh_runtime.pipeline.transport import MAX_MESSAGE, HandlerContext, Inbound, Origin, Transport

Handler = Callable[[Any, Transport, Origin], Awaitable[bytes | None]]
_Body = Callable[[Any, Transport, Inbound, Frame], Awaitable[bytes | None]]


class Access(Protocol):
    """The stage that decides whether a call is served."""

    def known(self, method: Method, inbound: Inbound, request: Any) -> Caller | None:  # noqa: ANN401 - any message
        """The caller where that is decided without asking anybody. Raises for callers that are refused at once."""

    async def ask(self, method: Method, inbound: Inbound, request: Any) -> Caller:  # noqa: ANN401
        """The caller as policy knows it. Raises for callers that policy refuses."""


class Observer(Protocol):
    """Sees each call begin and end: metrics, traces, the access log."""

    def begin(self, method: Method, frame: Frame) -> object: ...
    def end(self, token: object, method: Method, code: str, seconds: float) -> None: ...


class Faults(Protocol):
    """Says what an exception means to the caller; None for a defect."""

    def fault_of(self, error: BaseException) -> MeshError | None: ...


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A handler as the links serve it: bytes in, bytes out, all stages inside."""

    method: Method
    invoke: Handler
    """Takes the request's bytes (or an iterator of them), the transport, and the origin. Answers with bytes, or writes them."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages of one service."""

    service: str
    limiter: Limiter
    access: Access
    observer: Observer
    faults: Faults
    drain: Drain
    unary_deadline: float = 30.0
    stream_deadline: float = 600.0
    max_message: int = MAX_MESSAGE

    def wrap(self, method: Method) -> Wrapped:
        """The handler of one method with all stages around it."""
        return Wrapped(method, self._stages(method, self._body(method)))

    def _stages(self, method: Method, body: _Body) -> Handler:
        limiter = self.limiter if method.rule is not None else None
        streaming = method.request_streaming or method.response_streaming
        default = self.stream_deadline if streaming else self.unary_deadline
        watch = self.drain if is_watch(method) else None
        observer, faults, service, path = self.observer, self.faults, self.service, method.path

        async def stages(first: Any, transport: Transport, origin: Origin) -> bytes | None:  # noqa: ANN401 - bytes or an iterator
            began = time.monotonic()
            expiry: _Expiry | None = None
            fault: MeshError | None = None
            inbound = origin(transport)
            given_id = inbound.metadata.get(REQUEST_ID)
            remaining = transport.time_remaining()
            frame = Frame(
                request_id=new_request_id() if given_id is None else accepted_request_id(given_id),
                deadline=began + (default if remaining is None else remaining),
                service=service,
                method=path,
                metadata=inbound.metadata,
            )
            FRAME.set(frame)
            seen = observer.begin(method, frame)
            code = "OK"
            try:
                if remaining is None:
                    expiry = _Expiry(default)
                elif remaining <= 0:
                    raise deadline_exceeded("the deadline had passed before the work began")  # noqa: TRY301 - answered below
                if watch is not None:
                    _enter_watch(watch)
                if limiter is None:
                    return await body(first, transport, inbound, frame)
                if not limiter.enter_now():
                    await limiter.enter(frame.deadline)
                try:
                    return await body(first, transport, inbound, frame)
                finally:
                    limiter.leave()
            except grpc.aio.AbortError:
                code = "ABORTED_BY_HANDLER"
                raise
            except asyncio.CancelledError:
                if expiry is not None and expiry.fired():
                    fault = deadline_exceeded()
                elif watch is not None and watch.begun:
                    fault = _draining()
                else:
                    code = "CANCELLED"
                    raise
            except Exception as error:  # noqa: BLE001 - the one place where exceptions become statuses
                fault = faults.fault_of(error)
                if fault is None:
                    fault = internal()
                    _log_defect(error, method, frame)
            finally:
                if expiry is not None:
                    expiry.stop()
                if fault is not None:
                    code = fault.code.name
                observer.end(seen, method, code, time.monotonic() - began)
            await _refuse(transport, fault)
            return None

        return stages

    def _body(self, method: Method) -> _Body:
        codec = _Codec(method, self.max_message)
        bodies = {
            (False, False): _unary_unary,
            (False, True): _unary_stream,
            (True, False): _stream_unary,
            (True, True): _stream_stream,
        }
        return bodies[method.request_streaming, method.response_streaming](method, self.access, codec)


def _enter_watch(drain: Drain) -> None:
    if drain.begun:
        raise _draining()
    drain.enter()


def _draining() -> MeshError:
    return RuntimeFault(errors_pb2.ERROR_REASON_DRAINING, "the service shuts down", retry_after=1.0)


async def _refuse(transport: Transport, fault: MeshError) -> None:
    from llm_mesh_runtime.status import clip, trailers  # noqa: PLC0415 - google.rpc is only loaded once something fails

    given = tuple(transport.trailing_metadata() or ())
    await transport.abort(fault.code, clip(fault.message, 512), given + trailers(fault))


def _log_defect(error: Exception, method: Method, frame: Frame) -> None:
    from llm_mesh_runtime.log import get_logger  # noqa: PLC0415 - nothing is logged on the way of a good request

    get_logger().error("handler failed", method=method.path, request_id=frame.request_id, exc_info=error)


class _Expiry:
    """The server's own deadline for a call that came without one."""

    __slots__ = ("_fired", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        self._fired = False
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._fire)

    def _fire(self) -> None:
        self._fired = True
        if self._task is not None:
            self._task.cancel()

    def fired(self) -> bool:
        """Whether the present cancellation is ours; it is taken back then, so that the call can be answered."""
        if self._fired and self._task is not None:
            self._task.uncancel()
        return self._fired

    def stop(self) -> None:
        self._timer.cancel()
        self._task = None


class _Codec:
    """Bytes to messages and back, with the size limit and a typed error for bytes that are no message."""

    __slots__ = ("_max", "_method")

    def __init__(self, method: Method, max_message: int) -> None:
        self._method = method
        self._max = max_message

    def parse(self, raw: bytes) -> Any:  # noqa: ANN401 - any message
        if len(raw) > self._max:
            raise self._too_large("request")
        try:
            return self._method.parse(raw)
        except DecodeError:
            reason = errors_pb2.ERROR_REASON_MALFORMED_MESSAGE
            raise RuntimeFault(reason, f"the bytes are not a request of {self._method.path}") from None

    def serialise(self, message: Any) -> bytes:  # noqa: ANN401 - any message
        raw = self._method.serialise(message)
        if len(raw) > self._max:
            raise self._too_large("answer")
        return raw

    async def parsed(self, raws: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        async for raw in raws:
            yield self.parse(raw)

    def _too_large(self, what: str) -> MeshError:
        reason = errors_pb2.ERROR_REASON_MESSAGE_TOO_LARGE
        return RuntimeFault(reason, f"the {what} is larger than {self._max} bytes", limit_bytes=str(self._max))


def _unary_unary(method: Method, access: Access, codec: _Codec) -> _Body:
    behaviour, parse, serialise = method.behaviour, codec.parse, codec.serialise

    async def body(raw: bytes, transport: Transport, inbound: Inbound, frame: Frame) -> bytes:
        request = parse(raw)
        frame.caller = access.known(method, inbound, request) or await access.ask(method, inbound, request)
        return serialise(await behaviour(request, HandlerContext(transport, inbound, parse, serialise, None)))

    return body


def _unary_stream(method: Method, access: Access, codec: _Codec) -> _Body:
    answer = _answering(method, codec)

    async def body(raw: bytes, transport: Transport, inbound: Inbound, frame: Frame) -> None:
        request = codec.parse(raw)
        frame.caller = access.known(method, inbound, request) or await access.ask(method, inbound, request)
        await answer(request, transport, inbound, None)

    return body


def _stream_unary(method: Method, access: Access, codec: _Codec) -> _Body:
    behaviour, admitted = method.behaviour, _admitted(method, access, codec)

    async def body(raws: AsyncIterator[bytes], transport: Transport, inbound: Inbound, frame: Frame) -> bytes:
        requests = await admitted(raws, inbound, frame)
        context = HandlerContext(transport, inbound, codec.parse, codec.serialise, requests)
        return codec.serialise(await behaviour(requests, context))

    return body


def _stream_stream(method: Method, access: Access, codec: _Codec) -> _Body:
    admitted, answer = _admitted(method, access, codec), _answering(method, codec)

    async def body(raws: AsyncIterator[bytes], transport: Transport, inbound: Inbound, frame: Frame) -> None:
        requests = await admitted(raws, inbound, frame)
        await answer(requests, transport, inbound, requests)

    return body


def _admitted(
    method: Method, access: Access, codec: _Codec
) -> Callable[[AsyncIterator[bytes], Inbound, Frame], Awaitable[AsyncIterator[Any]]]:
    """Decides about a stream of requests. A resource that names fields is taken from the first message."""
    needs_first = method.rule is not None and method.public and "{" in method.rule.resource

    async def admitted(raws: AsyncIterator[bytes], inbound: Inbound, frame: Frame) -> AsyncIterator[Any]:
        requests = codec.parsed(raws)
        first = await anext(requests, None) if needs_first else None
        if needs_first and first is None:
            raise RuntimeFault(errors_pb2.ERROR_REASON_INVALID_FIELD, "the stream ended before its first message")
        frame.caller = access.known(method, inbound, first) or await access.ask(method, inbound, first)
        return requests if first is None else _chained(first, requests)

    return admitted


async def _chained(first: Any, rest: AsyncIterator[Any]) -> AsyncIterator[Any]:  # noqa: ANN401 - any message
    yield first
    async for message in rest:
        yield message


def _answering(method: Method, codec: _Codec) -> Callable[[Any, Transport, Inbound, Any], Awaitable[None]]:
    """Sends what the handler yields; a handler that is no generator writes by itself."""
    behaviour, serialise = method.behaviour, codec.serialise

    async def answering(request: Any, transport: Transport, inbound: Inbound, requests: Any) -> None:  # noqa: ANN401
        answers = behaviour(request, HandlerContext(transport, inbound, codec.parse, serialise, requests))
        if not isinstance(answers, AsyncIterator):
            await answers
            return
        try:
            async for message in answers:
                await transport.write(serialise(message))
        finally:
            if isinstance(answers, AsyncGenerator):
                await answers.aclose()

    return answering
