"""The link to a peer in another process: plain gRPC, with what every call of the mesh carries along."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable
from typing import Any, cast

import grpc

from llm_mesh_runtime.links.outbound import Outbound
from llm_mesh_runtime.links.tls import Tls, certificate_name
from llm_mesh_runtime.links.truth import Truth
from llm_mesh_runtime.pipeline.transport import MAX_MESSAGE

SLACK = 64 * 1024
"""Room above the limit, so that the pipeline refuses a message that is too large with a typed error, and not gRPC."""

_SERVICE_CONFIG = '{"loadBalancingConfig":[{"round_robin":{}}]}'
Metadata = Iterable[tuple[str, str | bytes]] | None


def channel_options(tls_name: str = "") -> list[tuple[str, Any]]:
    """The options of all our channels."""
    options: list[tuple[str, Any]] = [
        ("grpc.service_config", _SERVICE_CONFIG),
        ("grpc.enable_retries", 0),
        ("grpc.enable_http_proxy", 0),
        ("grpc.max_send_message_length", MAX_MESSAGE + SLACK),
        ("grpc.max_receive_message_length", MAX_MESSAGE + SLACK),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.min_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 1_000),
    ]
    if tls_name:
        options.append(("grpc.ssl_target_name_override", tls_name))
    return options


class RemoteChannel:
    """A `grpc.aio` channel that carries request id, trace, deadline and identity along."""

    def __init__(
        self,
        peer: str,
        target: str,
        outbound: Outbound,
        tls: Tls | None = None,
        *,
        options: Iterable[tuple[str, Any]] = (),
        server_name: str = "",
    ) -> None:
        self.peer = peer
        self._outbound = outbound
        self._channel: grpc.aio.Channel = (
            grpc.aio.insecure_channel(target, options=[*channel_options(), *options])
            if tls is None
            else grpc.aio.secure_channel(target, tls.client(), options=[*channel_options(server_name or certificate_name(peer)), *options])
        )

    def unary_unary(self, method: str, *serialisers: Any, **options: Any) -> Callable[..., _RemoteCall]:  # noqa: ANN401 - as grpc's
        """One request, one answer."""
        return self._carrying(self._channel.unary_unary(method, *serialisers, **options))

    def unary_stream(self, method: str, *serialisers: Any, **options: Any) -> Callable[..., _RemoteCall]:  # noqa: ANN401
        """One request, a stream of answers."""
        return self._carrying(self._channel.unary_stream(method, *serialisers, **options))

    def stream_unary(self, method: str, *serialisers: Any, **options: Any) -> Callable[..., _RemoteCall]:  # noqa: ANN401
        """A stream of requests, one answer."""
        return self._carrying(self._channel.stream_unary(method, *serialisers, **options), writes=True)

    def stream_stream(self, method: str, *serialisers: Any, **options: Any) -> Callable[..., _RemoteCall]:  # noqa: ANN401
        """Streams both ways."""
        return self._carrying(self._channel.stream_stream(method, *serialisers, **options), writes=True)

    def state(self, *, connect: bool = False) -> grpc.ChannelConnectivity:
        """Whether it is connected. `connect`: begin to connect where it is idle."""
        return self._channel.get_state(try_to_connect=connect)

    async def changed(self, state: grpc.ChannelConnectivity) -> None:
        """Wait until it is in another state."""
        await self._channel.wait_for_state_change(state)

    async def close(self, grace: float | None = None) -> None:
        """Close the connection."""
        await self._channel.close(grace)

    def _carrying(self, inner: Any, *, writes: bool = False) -> Callable[..., _RemoteCall]:  # noqa: ANN401 - one of grpc's four multicallables
        outbound = self._outbound

        def call(*request: Any, timeout: float | None = None, metadata: Metadata = None, **options: Any) -> _RemoteCall:  # noqa: ANN401
            carried, deadline = outbound.carried(metadata, timeout)
            remaining = None if deadline is None else deadline - time.monotonic()
            return _RemoteCall(inner(*request, timeout=remaining, metadata=carried, **options), writes=writes)

        return call


class _RemoteCall:
    """One of gRPC's calls. Dropping it cancels it: gRPC itself never collects an abandoned call (since 1.83)."""

    __slots__ = ("__weakref__", "_call", "_iterator", "_truth")

    def __init__(self, call: Any, *, writes: bool) -> None:  # noqa: ANN401 (one of grpc's four kinds of calls)
        self._call = call
        self._truth = Truth(call) if writes else None
        self._iterator: AsyncIterator[Any] | None = None

    def __del__(self) -> None:
        call = getattr(self, "_call", None)
        if call is not None and not call.done():
            call.cancel()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever gRPC's call has
        return getattr(self._call, name)

    def __await__(self) -> Generator[Any, None, Any]:
        try:
            return (yield from self._call.__await__())
        except grpc.aio.AioRpcError as error:
            if self._truth is None:
                raise
            raise ((yield from self._truth.error(self._call, error).__await__()) or error) from None
        finally:
            self._call.cancel()

    def __aiter__(self) -> _RemoteCall:
        self._iterator = self._call.__aiter__()
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 (any message)
        message = await self._truly(cast("AsyncIterator[Any]", self._iterator).__anext__())
        if message is grpc.aio.EOF:
            raise StopAsyncIteration
        return message

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Call back with this call once it has ended."""
        self._call.add_done_callback(lambda _inner: callback(self))

    async def read(self) -> Any:  # noqa: ANN401 (any message, or EOF)
        """The next answer, or `grpc.aio.EOF`."""
        return await self._truly(self._call.read())

    async def write(self, request: Any) -> None:  # noqa: ANN401 (any message)
        """Send one message."""
        await self._truly(self._call.write(request))

    async def done_writing(self) -> None:
        """Say that no more messages come."""
        await self._call.done_writing()

    async def code(self) -> grpc.StatusCode:
        """The status code, after the end."""
        if self._truth is not None:
            await self._truth.settle(self._call)
            return cast("grpc.StatusCode", self._truth.code)
        return cast("grpc.StatusCode", await self._call.code())

    async def details(self) -> str:
        """The status message, after the end."""
        if self._truth is not None:
            await self._truth.settle(self._call)
            return self._truth.details
        return cast("str", await self._call.details())

    async def initial_metadata(self) -> grpc.aio.Metadata:
        """The server's initial metadata."""
        return cast("grpc.aio.Metadata", await self._call.initial_metadata())

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        """The server's trailing metadata, after the end."""
        if self._truth is not None:
            await self._truth.settle(self._call)
            return self._truth.trailing
        return cast("grpc.aio.Metadata", await self._call.trailing_metadata())

    async def _truly(self, step: Awaitable[Any]) -> Any:  # noqa: ANN401 (any message)
        """The outcome of a step by the server's own status; EOF where that is OK."""
        try:
            return await step
        except grpc.aio.AioRpcError as error:
            if self._truth is None:
                raise
            if (true := await self._truth.error(self._call, error)) is not None:
                raise true from None
            return grpc.aio.EOF
