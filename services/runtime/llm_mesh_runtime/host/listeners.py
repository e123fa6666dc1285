"""The gRPC listeners of a process: one public for all services, or a mesh listener per service."""

from __future__ import annotations

import asyncio
import functools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import grpc

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.binding import Owner, bind
from llm_mesh_runtime.errors import RuntimeFault, deadline_exceeded
from llm_mesh_runtime.limiter import Limiter
from llm_mesh_runtime.links.remote import SLACK
from llm_mesh_runtime.links.tls import Tls
from llm_mesh_runtime.memory_return import FreedMemory
from llm_mesh_runtime.pipeline import Arrivals, Awaited, MessagePlace, Origin, Unread, Wrapped
from llm_mesh_runtime.pipeline.transport import MAX_MESSAGE, address_of
from llm_mesh_runtime.shares import Party
from llm_mesh_runtime.start_error import StartError

if TYPE_CHECKING:
    from llm_mesh_runtime.links.mux.server import LinkServer
    from llm_mesh_runtime.pipeline import Transport

_GRPC = Owner("gRPC")
_MAX_AGE_MS = 300_000
_HANDSHAKE_MS = 20_000
_OPEN_READS, _OPEN_QUEUE = 1, 256
_OPEN_MESSAGE = 64 * 1024
_OPEN_PATIENCE, _OPEN_WAIT = 0.25, 5.0
_HANDLERS = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


class GrpcBounds(NamedTuple):
    """What anybody may hold of a gRPC listener before a handler sees it."""

    metadata: int = 16 * 1024
    streams: int = 1024
    connections: int = 4096
    uploads: int = 1024 * 1024 * 1024

    @property
    def messages(self) -> int:
        """How many messages may be under way at once, each of which may be the largest."""
        return self.uploads // (MAX_MESSAGE + SLACK)


class _Handlers(grpc.GenericRpcHandler):
    """Finds the handler of a call by its head.

    gRPC reads the message of a unary request before it calls the handler. So whoever is not known yet, or has too many messages under
    way, gets a handler that takes a stream, which is the same on the wire: it reads the message, of up to 32 MiB, in its turn.
    """

    def __init__(self, handlers: Iterable[Wrapped], origin: Origin, arrivals: Arrivals, *, trusted: bool) -> None:
        self._origin = origin
        self._arrivals = arrivals
        self._open_reads = OpenReads(Limiter(_OPEN_READS, _OPEN_QUEUE), FreedMemory())
        self._methods: dict[str, tuple[Wrapped, Any, Any, Any]] = {}
        for wrapped in handlers:
            method = wrapped.method
            invoke = functools.partial(_invoke, wrapped.invoke, origin)
            direct: Any = _HANDLERS[method.request_streaming, method.response_streaming](invoke)
            unread_of = (
                functools.partial(_Bounded, reads=self._open_reads)
                if method.rule is None
                else functools.partial(Awaited, arrivals=arrivals)
            )
            late = functools.partial(_invoke_unread, wrapped.invoke, origin, unread_of)
            unread: Any = direct if method.request_streaming or trusted else _HANDLERS[True, method.response_streaming](late)
            kind = _HANDLERS[False, method.response_streaming]
            self._methods[method.path] = (wrapped, unread if method.rule is None else direct, unread, kind)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:  # noqa: ANN401 (an RpcMethodHandler of bytes)
        """The handler; None where there is no such method."""
        handler = self._methods.get(handler_call_details.method)
        if handler is None:
            return None
        wrapped, direct, unread, kind = handler
        if direct is unread:
            return direct
        caller = wrapped.known(self._origin(cast("Transport", _CallHead(handler_call_details.invocation_metadata))))
        if caller is None:
            return unread
        if caller.party is None:
            return direct
        place = self._arrivals.place_of(caller.party)
        return unread if place is None else kind(_ArrivingCall(wrapped.invoke, self._origin, place).invoke)


class _ArrivingCall:
    """Handles one call of a known caller, which holds a place while gRPC reads its message."""

    __slots__ = ("_invoke", "_origin", "_place")

    def __init__(self, invoke: Any, origin: Origin, place: MessagePlace) -> None:  # noqa: ANN401 (a handler)
        self._invoke = invoke
        self._origin = origin
        self._place = place

    async def invoke(self, request: bytes, context: Any) -> Any:  # noqa: ANN401 (gRPC's; bytes, or nothing)
        """The message is whole."""
        return await self._invoke(self._place.arrived(request), context, self._origin)


class OpenReads(NamedTuple):
    """Messages of methods that need no credential, such as health: any of them may be large, so few are read at a time."""

    turns: Limiter
    freed: FreedMemory
    """gRPC copies a large message several times, and the allocator would keep all of that."""


class _CallHead:
    """A call of which only the metadata is known."""

    __slots__ = ("_metadata",)

    def __init__(self, metadata: Any) -> None:  # noqa: ANN401 (grpc's metadata type)
        self._metadata = metadata

    def invocation_metadata(self) -> Any:  # noqa: ANN401 (see above)
        """What the caller sent."""
        return self._metadata

    def time_remaining(self) -> None:
        """Not known."""

    def auth_context(self) -> Mapping[str, Any]:
        """Not known."""
        return {}


class Listener:
    """One `grpc.aio` server on one address."""

    def __init__(  # noqa: PLR0913 (what a listener has, each by its name)
        self,
        address: str,
        origin: Origin,
        *,
        tls: Tls | None = None,
        mutual: bool = False,
        clients: bytes = b"",
        owner: Owner = _GRPC,
        stream_deadline: float = 600.0,
        bounds: GrpcBounds | None = None,
    ) -> None:
        self.address = address
        self._origin = origin
        self._trusted = mutual or address.startswith("unix:")
        """Whether only those connect who have shown a certificate, or may enter our private folder."""
        bounds = bounds or GrpcBounds()
        self.arrivals = Arrivals(bounds.messages)
        self._server = grpc.aio.server(options=_options(stream_deadline, bounds))
        if not address.startswith("unix:"):
            bind(address, owner).close()  # gRPC would not say why, nor who has the port
        self.port = self._bind(address, tls, tls.authority if tls is not None and mutual else clients)
        self._started = False
        self._link: LinkServer | None = None

    def _bind(self, address: str, tls: Tls | None, clients: bytes) -> int:
        try:
            if tls is not None and tls.certificate:
                return self._server.add_secure_port(address, tls.server(clients))
            return self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise StartError(f"cannot listen on {address} (gRPC): is another process using it?") from error

    def serve(self, handlers: Iterable[Wrapped], link: LinkServer | None = None) -> None:
        """Take the handlers, and the batched link beside them; two services must not claim the same method on one listener."""
        self._link = link
        handlers = tuple(handlers)
        if link is not None:
            handlers = (*handlers, *link.handlers())
        paths = Counter(wrapped.method.path for wrapped in handlers)
        if twice := next((path for path, count in paths.items() if count > 1), None):
            raise StartError(f"{twice} is served twice on {self.address}")
        self._server.add_generic_rpc_handlers((_Handlers(handlers, self._origin, self.arrivals, trusted=self._trusted),))

    async def start(self) -> None:
        """Accept calls."""
        await self._server.start()
        self._started = True

    async def stop(self, grace: float) -> None:
        """Accept no more calls; those that run may finish within the grace."""
        if self._link is not None:
            self._link.go_away()
        await self._server.stop(grace if self._started else None)


async def _invoke(invoke: Any, origin: Origin, request: Any, context: Any) -> Any:  # noqa: ANN401 - bytes or an iterator of them
    return await invoke(request, context, origin)


async def _invoke_unread(
    invoke: Any,  # noqa: ANN401 (a handler)
    origin: Origin,
    unread_of: Callable[[Any], Unread],
    _requests: Any,  # noqa: ANN401 (an iterator of bytes)
    context: Any,  # noqa: ANN401 (gRPC's)
) -> Any:  # noqa: ANN401 (bytes, or nothing)
    return await invoke(unread_of(context), context, origin)


class _Bounded(Unread):
    """The message of somebody who needs no credential."""

    __slots__ = ("_address", "_reads")

    def __init__(self, context: Any, reads: OpenReads) -> None:  # noqa: ANN401 (gRPC's)
        super().__init__(context)
        self._reads = reads
        self._address = address_of(context)

    async def message(self, deadline: float, party: Party | None) -> bytes:
        """Read it, in its turn and within a moment."""
        async with self._reads.turns.slot(Party(self._address), time.monotonic() + _OPEN_WAIT):
            try:
                async with asyncio.timeout(_OPEN_PATIENCE):
                    raw = await super().message(deadline, party)
            except TimeoutError:
                self._reads.freed.give_back()
                raise deadline_exceeded("the message did not arrive in time") from None
        if len(raw) > _OPEN_MESSAGE:
            del raw
            self._reads.freed.give_back()
            reason = errors_pb2.ERROR_REASON_MESSAGE_TOO_LARGE
            raise RuntimeFault(reason, f"the request is larger than {_OPEN_MESSAGE} bytes", limit_bytes=str(_OPEN_MESSAGE))
        return raw


def _options(stream_deadline: float, bounds: GrpcBounds) -> list[tuple[str, Any]]:
    return [
        ("grpc.so_reuseport", 0),
        ("grpc.http2.bdp_probe", 0),  # or what nobody reads yet is let in by the megabyte
        ("grpc.max_metadata_size", bounds.metadata),
        ("grpc.absolute_max_metadata_size", bounds.metadata),
        ("grpc.max_concurrent_streams", bounds.streams),
        ("grpc.max_allowed_incoming_connections", bounds.connections),
        ("grpc.server_handshake_timeout_ms", _HANDSHAKE_MS),
        ("grpc.max_send_message_length", MAX_MESSAGE + SLACK),
        ("grpc.max_receive_message_length", MAX_MESSAGE + SLACK),
        ("grpc.max_connection_age_ms", _MAX_AGE_MS),
        ("grpc.max_connection_age_grace_ms", int(stream_deadline * 1000)),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.max_ping_strikes", 0),
    ]
