"""The channel that a stub gets for a peer behind a batched link."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from llm_mesh_runtime.links.local.calls import StreamStreamCall, StreamUnaryCall, UnaryStreamCall, UnaryUnaryCall
from llm_mesh_runtime.links.mux.called import ClientCall
from llm_mesh_runtime.links.mux.dial import LinkDialler
from llm_mesh_runtime.links.mux.pool import LinkPool
from llm_mesh_runtime.links.mux.watched import AddressStates

if TYPE_CHECKING:
    from llm_mesh_runtime.links.mux.names import Name
    from llm_mesh_runtime.links.outbound import Metadata as Carried
    from llm_mesh_runtime.links.outbound import Outbound
    from llm_mesh_runtime.links.tls import Tls
    from llm_mesh_runtime.telemetry.metrics import Metrics

Serialise = Callable[[Any], bytes] | None
Deserialise = Callable[[bytes], Any] | None
Metadata = Iterable[tuple[str, str | bytes]] | None


class MuxChannel:
    """`outbound` carries along what every call does; `identity` proves once per connection who calls."""

    def __init__(
        self,
        peer: str,
        name: Name,
        outbound: Outbound,
        *,
        identity: Callable[[], Carried] | None = None,
        tls: Tls | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self.peer = peer
        self._outbound = outbound
        self.pool = LinkPool(LinkDialler(outbound.caller, peer, identity, tls), name, AddressStates(outbound.caller, peer, metrics))

    def unary_unary(
        self, method: str, request_serializer: Serialise = None, response_deserializer: Deserialise = None, **_: object
    ) -> Callable[..., UnaryUnaryCall]:
        """One request, one answer."""
        begin = self._begin

        def call(request: Any, *, timeout: float | None = None, metadata: Metadata = None, **options: Any) -> UnaryUnaryCall:  # noqa: ANN401
            first = request if request_serializer is None else request_serializer(request)
            return UnaryUnaryCall(begin(method, timeout, metadata, options, first=first), response_deserializer)

        return call

    def unary_stream(
        self, method: str, request_serializer: Serialise = None, response_deserializer: Deserialise = None, **_: object
    ) -> Callable[..., UnaryStreamCall]:
        """One request, a stream of answers."""
        begin = self._begin

        def call(request: Any, *, timeout: float | None = None, metadata: Metadata = None, **options: Any) -> UnaryStreamCall:  # noqa: ANN401
            first = request if request_serializer is None else request_serializer(request)
            return UnaryStreamCall(begin(method, timeout, metadata, options, first=first, streams=True), response_deserializer)

        return call

    def stream_unary(
        self, method: str, request_serializer: Serialise = None, response_deserializer: Deserialise = None, **_: object
    ) -> Callable[..., StreamUnaryCall]:
        """A stream of requests, one answer."""
        begin = self._begin

        def call(
            request_iterator: Any = None,  # noqa: ANN401 - sync or async iterator
            timeout: float | None = None,
            metadata: Metadata = None,
            **options: Any,  # noqa: ANN401 - gRPC's other options
        ) -> StreamUnaryCall:
            made = StreamUnaryCall(begin(method, timeout, metadata, options), response_deserializer, request_serializer)
            if request_iterator is not None:
                made.feed(request_iterator)
            return made

        return call

    def stream_stream(
        self, method: str, request_serializer: Serialise = None, response_deserializer: Deserialise = None, **_: object
    ) -> Callable[..., StreamStreamCall]:
        """Streams both ways."""
        begin = self._begin

        def call(
            request_iterator: Any = None,  # noqa: ANN401 - sync or async iterator
            timeout: float | None = None,
            metadata: Metadata = None,
            **options: Any,  # noqa: ANN401 - gRPC's other options
        ) -> StreamStreamCall:
            made = StreamStreamCall(begin(method, timeout, metadata, options, streams=True), response_deserializer, request_serializer)
            if request_iterator is not None:
                made.feed(request_iterator)
            return made

        return call

    async def close(self, grace: float | None = None) -> None:
        """End the connections and what runs on them, at once."""
        del grace
        await self.pool.close()

    def _begin(
        self,
        method: str,
        timeout: float | None,
        metadata: Metadata,
        options: dict[str, Any],
        *,
        first: bytes | None = None,
        streams: bool = False,
    ) -> ClientCall:
        carried, deadline = self._outbound.carried(metadata, timeout)
        call = ClientCall(method, carried, deadline, first=first, streams=streams, patient=bool(options.get("wait_for_ready")))
        self.pool.place(call)
        return call
