"""Passes public calls on to peers, so that the address of one service leads to the whole mesh.

A relayed call goes through all stages twice: here, as one of the service's own, and at the peer, which decides by the caller's credential
as if it had been asked itself. Methods for services only are never relayed: they are not registered here, and a peer refuses them to any
call that carries a credential, as all relayed ones do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.access.stage import AUTHORIZATION
from llm_mesh_runtime.context import metadata
from llm_mesh_runtime.errors import RuntimeFault, invalid
from llm_mesh_runtime.host.adapters import ADAPTER
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.pipeline import Wrapped, methods_of
from llm_mesh_runtime.settings.naming import link_variable

if TYPE_CHECKING:
    from llm_mesh_runtime.links import Links
    from llm_mesh_runtime.pipeline import Pipeline
    from llm_mesh_runtime.pipeline.methods import Method
    from llm_mesh_runtime.service import Relay

_PUBLIC_METADATA = "x-llm-mesh-"


def relayed(relays: Iterable[Relay], links: Links, pipeline: Pipeline) -> list[Wrapped]:
    """The public methods of the peers, each passed on to its peer."""
    passed = []
    for relay in relays:
        methods = methods_of((register, _Unanswered()) for register in relay.register)
        passed += [pipeline.wrap(_passing(method, relay.peer, links)) for method in methods if method.public]
    return passed


class _Unanswered:
    """Stands for a servicer: only the methods' names and messages are of interest."""

    def __getattr__(self, name: str) -> Callable[[Any, Any], None]:
        def unanswered(request: Any, context: Any) -> None:  # noqa: ANN401 (any message)
            del request, context
            raise NotImplementedError(name)

        return unanswered


def _passing(method: Method, peer: str, links: Links) -> Method:
    """The method with a behaviour that asks the peer, and answers with the bytes of its answer."""
    if method.request_streaming and method.response_streaming:
        raise ValueError(f"{method.path} cannot be relayed: it takes a stream and answers with one")

    async def whole(request: Any, context: Any) -> bytes:  # noqa: ANN401 (any message)
        del context
        channel = _channel(links, peer)
        ask: Callable[..., Awaitable[bytes]] = channel.unary_unary(method.path, _serialised, bytes)
        try:
            return await ask(request, metadata=_carried())
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer=peer) from error

    async def stream(request: Any, context: Any) -> AsyncIterator[bytes]:  # noqa: ANN401 (any message)
        del context
        channel = _channel(links, peer)
        ask: Callable[..., AsyncIterator[bytes]] = channel.unary_stream(method.path, _serialised, bytes)
        try:
            async for answer in ask(request, metadata=_carried()):
                yield answer
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer=peer) from error

    async def gathered(requests: Any, context: Any) -> bytes:  # noqa: ANN401 (messages of any type)
        del context
        channel = _channel(links, peer)
        ask: Callable[..., Awaitable[bytes]] = channel.stream_unary(method.path, _serialised, bytes)
        try:
            return await ask(requests, metadata=_carried())
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer=peer) from error

    if method.request_streaming:
        return replace(method, behaviour=gathered, serialise=bytes)
    return replace(method, behaviour=stream if method.response_streaming else whole, serialise=bytes)


def _channel(links: Links, peer: str) -> Any:  # noqa: ANN401 (what stubs take has no common type)
    name = f"{peer}{_adapter(links, peer)}" if peer.endswith("/") else peer
    channel = links.optional(name)
    if channel is None:
        reason = errors_pb2.ERROR_REASON_PEER_UNAVAILABLE
        raise RuntimeFault(reason, f"{links.service} has no link to {name}: its operator sets {link_variable(name)}", peer=name)
    return channel


def _adapter(links: Links, prefix: str) -> str:
    """The one of several that the caller names; the only one need not be named."""
    known = [name.removeprefix(prefix) for name in links.names(prefix)]
    named = metadata().get(ADAPTER)
    if named is None and len(known) == 1:
        return known[0]
    if named not in known:
        raise invalid(ADAPTER, f"expected metadata with one of {', '.join(known) or 'none: there is no adapter'}")
    return str(named)


def _carried() -> tuple[tuple[str, str | bytes], ...]:
    """What the peer learns of the caller: the credential, and what the mesh defines for callers."""
    return tuple((key, value) for key, value in metadata().items() if key == AUTHORIZATION or key.startswith(_PUBLIC_METADATA))


def _serialised(request: Any) -> bytes:  # noqa: ANN401 (any message)
    serialised: bytes = request.SerializeToString()
    return serialised
