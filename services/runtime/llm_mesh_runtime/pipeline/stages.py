"""The stages of a call, written out as one coroutine per handler: no interceptor objects on the way of a request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import grpc

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.context import FRAME, REQUEST_ID, Frame, accepted_request_id, new_request_id
from llm_mesh_runtime.errors import MeshError, RuntimeFault, deadline_exceeded, internal
from llm_mesh_runtime.limiter import Limiter
from llm_mesh_runtime.pipeline.bodies import Access, Codec, body_of
from llm_mesh_runtime.pipeline.bodies import Body as _Body
from llm_mesh_runtime.pipeline.drain import Drain, Expiry, is_watch
from llm_mesh_runtime.pipeline.methods import Method
from llm_mesh_runtime.pipeline.transport import MAX_MESSAGE, Inbound, Origin, Transport

Handler = Callable[[Any, Transport, Origin], Awaitable[bytes | None]]
_MAX_MESSAGE = 512


class Observer(Protocol):
    """Sees each call begin and end: metrics, traces, the access log."""

    def begin(self, method: Method, frame: Frame) -> object:
        """A call has arrived. What this returns comes back to `end`."""

    def end(self, token: object, method: Method, code: str, seconds: float) -> None:
        """The call has ended with the name of a status code."""


class Faults(Protocol):
    """Says what an exception means to the caller; None for a defect."""

    def fault_of(self, error: BaseException) -> MeshError | None:
        """The error to answer with."""


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
        return Wrapped(method, self._answered(method, self._served(method, self._body(method))))

    def _answered(self, method: Method, served: _Body) -> Handler:
        """Outermost: the frame, the server's own deadline, errors as statuses, what is observed."""
        default = self.stream_deadline if method.request_streaming or method.response_streaming else self.unary_deadline
        watch = self.drain if is_watch(method) else None
        observer, faults, service, path = self.observer, self.faults, self.service, method.path

        async def answered(first: Any, transport: Transport, origin: Origin) -> bytes | None:  # noqa: ANN401 (bytes or an iterator)
            began = time.monotonic()
            remaining = transport.time_remaining()
            inbound = origin(transport)
            given_id = inbound.metadata.get(REQUEST_ID)
            frame = Frame(
                request_id=new_request_id() if given_id is None else accepted_request_id(given_id),
                deadline=began + (default if remaining is None else remaining),
                service=service,
                method=path,
                metadata=inbound.metadata,
            )
            FRAME.set(frame)
            seen = observer.begin(method, frame)
            expiry = Expiry(default) if remaining is None else None
            fault: MeshError | None = None
            code = "OK"
            try:
                return await served(first, transport, inbound, frame)
            except grpc.aio.AbortError:
                code = "UNKNOWN"
                raise
            except asyncio.CancelledError:
                code = "CANCELLED"
                fault = _why_cancelled(expiry, watch)
                if fault is None:
                    raise
            except grpc.aio.InternalError:  # gRPC's way to say that a message was written to a call whose client had left
                code = "CANCELLED"
                raise asyncio.CancelledError from None
            except Exception as error:  # noqa: BLE001 (the one place where exceptions become statuses)
                fault = faults.fault_of(error) or _defect(error, method, frame)
            finally:
                if expiry is not None:
                    expiry.stop()
                observer.end(seen, method, code if fault is None else fault.code.name, time.monotonic() - began)
            await _refuse(transport, fault)
            return None

        return answered

    def _served(self, method: Method, body: _Body) -> _Body:
        """In between: a slot of the limiter, for the length of the call. Health and reflection need none."""
        limiter = self.limiter if method.rule is not None else None
        watch = self.drain if is_watch(method) else None

        async def served(first: Any, transport: Transport, inbound: Inbound, frame: Frame) -> bytes | None:  # noqa: ANN401 (see above)
            if frame.deadline is not None and frame.deadline <= time.monotonic():
                raise deadline_exceeded("the deadline had passed before the work began")
            if watch is not None and not watch.enter():
                raise _draining()
            if limiter is None:
                return await body(first, transport, inbound, frame)
            if not limiter.enter_now():
                await limiter.enter(frame.deadline)
            try:
                return await body(first, transport, inbound, frame)
            finally:
                limiter.leave()

        return served

    def _body(self, method: Method) -> _Body:
        """Innermost: parse, decide about access, handle, serialise."""
        return body_of(method, self.access, Codec(method, self.max_message))


async def _refuse(transport: Transport, fault: MeshError) -> None:
    from llm_mesh_runtime.status import clip, trailers  # noqa: PLC0415 (google.rpc is only loaded once something fails)

    given = tuple(transport.trailing_metadata() or ())
    await transport.abort(fault.code, clip(fault.message, _MAX_MESSAGE), given + trailers(fault))


def _defect(error: Exception, method: Method, frame: Frame) -> MeshError:
    from llm_mesh_runtime.log import get_logger  # noqa: PLC0415 (nothing is logged on the way of a good request)

    get_logger().error("handler failed", method=method.path, request_id=frame.request_id, exc_info=error)
    return internal()


def _why_cancelled(expiry: Expiry | None, watch: Drain | None) -> MeshError | None:
    """None where the caller went away: nobody is left to answer."""
    if expiry is not None and expiry.fired():
        return deadline_exceeded()
    return _draining() if watch is not None and watch.ended() else None


def _draining() -> MeshError:
    return RuntimeFault(errors_pb2.ERROR_REASON_DRAINING, "the service shuts down", retry_after=1.0)
