"""The channel that a stub gets for a peer in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import grpc

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.errors import RuntimeFault
from llm_mesh_runtime.links.local.calls import StreamStreamCall, StreamUnaryCall, UnaryStreamCall, UnaryUnaryCall
from llm_mesh_runtime.links.local.exchange import CallState
from llm_mesh_runtime.links.local.pipe import Pipe
from llm_mesh_runtime.links.local.server import local_origin

if TYPE_CHECKING:
    from llm_mesh_runtime.links.local.server import LocalServer
    from llm_mesh_runtime.links.outbound import Outbound
    from llm_mesh_runtime.pipeline import Wrapped

Serialise = Callable[[Any], bytes] | None
Deserialise = Callable[[bytes], Any] | None
Metadata = Iterable[tuple[str, str | bytes]] | None


class LocalChannel:
    """Reaches the server by a function, since services are built before all of their peers exist."""

    def __init__(self, server: Callable[[], LocalServer | None], outbound: Outbound) -> None:
        self.server = server
        self._outbound = outbound

    def unary_unary(
        self, method: str, request_serializer: Serialise = None, response_deserializer: Deserialise = None, **_: object
    ) -> Callable[..., UnaryUnaryCall]:
        """One request, one answer: the hot path, with one call object, one exchange and one frame per call."""
        find, outbound = self.server, self._outbound
        server: LocalServer | None = None
        wrapped: Wrapped | None = None  # what answers the method, once it was found

        def call(  # gRPC's own options by name: to gather them would make a dictionary per call
            request: Any,  # noqa: ANN401 - any message
            *,
            timeout: float | None = None,
            metadata: Metadata = None,
            credentials: object = None,  # noqa: ARG001
            wait_for_ready: object = None,  # noqa: ARG001
            compression: object = None,  # noqa: ARG001
        ) -> UnaryUnaryCall:
            nonlocal server, wrapped
            frame = outbound.frame(metadata, timeout)
            exchange = CallState(asyncio.get_running_loop(), frame.deadline, frame)
            first = request if request_serializer is None else request_serializer(request)
            if server is None and (server := find()) is not None:
                wrapped = server.handlers.get(method)
            if wrapped is not None and server is not None and server.open:
                exchange.start(wrapped, first, local_origin, server)
            else:
                self.begin(method, exchange, first)  # which says why not
            return UnaryUnaryCall(exchange, response_deserializer)

        return call

    def unary_stream(
        self, method: str, request_serializer: Serialise = None, response_deserializer: Deserialise = None, **_: object
    ) -> Callable[..., UnaryStreamCall]:
        """One request, a stream of answers."""

        def call(request: Any, *, timeout: float | None = None, metadata: Metadata = None, **_: object) -> UnaryStreamCall:  # noqa: ANN401
            exchange = self.exchange(timeout, metadata)
            exchange.responses = Pipe(exchange.loop)
            self.begin(method, exchange, request if request_serializer is None else request_serializer(request))
            return UnaryStreamCall(exchange, response_deserializer)

        return call

    def stream_unary(
        self, method: str, request_serializer: Serialise = None, response_deserializer: Deserialise = None, **_: object
    ) -> Callable[..., StreamUnaryCall]:
        """A stream of requests, one answer."""

        def call(
            request_iterator: Any = None,  # noqa: ANN401 - sync or async iterator
            timeout: float | None = None,
            metadata: Metadata = None,
            **_: object,
        ) -> StreamUnaryCall:
            exchange = self.exchange(timeout, metadata)
            made = StreamUnaryCall(exchange, response_deserializer, request_serializer)
            self._begin_stream(method, exchange, made, request_iterator)
            return made

        return call

    def stream_stream(
        self, method: str, request_serializer: Serialise = None, response_deserializer: Deserialise = None, **_: object
    ) -> Callable[..., StreamStreamCall]:
        """Streams both ways."""

        def call(
            request_iterator: Any = None,  # noqa: ANN401 - sync or async iterator
            timeout: float | None = None,
            metadata: Metadata = None,
            **_: object,
        ) -> StreamStreamCall:
            exchange = self.exchange(timeout, metadata)
            exchange.responses = Pipe(exchange.loop)
            made = StreamStreamCall(exchange, response_deserializer, request_serializer)
            self._begin_stream(method, exchange, made, request_iterator)
            return made

        return call

    async def close(self, grace: float | None = None) -> None:
        """Nothing to close: calls belong to the server."""

    def exchange(self, timeout: float | None, metadata: Metadata) -> CallState:
        """A fresh call with what every call carries along."""
        frame = self._outbound.frame(metadata, timeout)
        return CallState(asyncio.get_running_loop(), frame.deadline, frame)

    def begin(self, method: str, exchange: CallState, first: bytes | Pipe) -> None:
        """Start the handler, or end the call where there is none."""
        server = self.server()
        if server is None or not server.open:
            name = server.name if server is not None else "the peer"
            _refuse(exchange, RuntimeFault(errors_pb2.ERROR_REASON_DRAINING, f"{name} shuts down", retry_after=1.0))
            return
        wrapped = server.handlers.get(method)
        if wrapped is None:
            exchange.finish(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
            return
        exchange.start(wrapped, first, local_origin, server)

    def _begin_stream(self, method: str, exchange: CallState, made: StreamUnaryCall | StreamStreamCall, requests: Any) -> None:  # noqa: ANN401
        exchange.requests = Pipe(exchange.loop)
        self.begin(method, exchange, exchange.requests)
        if requests is not None:
            made.feed(requests)


def _refuse(exchange: CallState, fault: RuntimeFault) -> None:
    from llm_mesh_runtime.status import trailers  # noqa: PLC0415 - google.rpc is only loaded once something fails

    exchange.trailing = trailers(fault)
    exchange.finish(fault.code, fault.message)
