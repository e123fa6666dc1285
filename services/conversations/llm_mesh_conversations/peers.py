"""The gateway and policy, behind their stubs."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Any

import grpc

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.gateway.v1.gateway_pb2_grpc import GatewayServiceStub
from llm_mesh.policy.v1 import identity_pb2
from llm_mesh.policy.v1.identity_pb2_grpc import IdentityServiceStub
from llm_mesh_runtime.context import metadata
from llm_mesh_runtime.peer_errors import from_rpc_error

_CREDENTIAL = "authorization"
_PUBLIC_METADATA = "x-llm-mesh-"
_QUICK = 5.0
_FRESH = 1.0
_MOST_DOMAINS = 4096


class AnsweringGatewayPeer:
    """`AnsweringGateway`. It lends nobody a right: each call has the credential of the call that is served."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = GatewayServiceStub(channel)

    def stream(self, request: gateway_pb2.GenerateStreamRequest, *, time_limit: float | None = None) -> AnsweringCall:
        """A streamed answer."""
        carried = tuple((key, value) for key, value in metadata().items() if key == _CREDENTIAL or key.startswith(_PUBLIC_METADATA))
        return AnsweringCall(self._stub.GenerateStream(request, timeout=time_limit, metadata=carried))


class AnsweringCall:
    """`AnsweringStream`."""

    def __init__(self, call: Any) -> None:  # noqa: ANN401 - a call of either link
        self._call = call

    async def __aiter__(self) -> AsyncIterator[gateway_pb2.GenerateStreamResponse]:
        try:
            while (message := await self._call.read()) is not grpc.aio.EOF:
                yield message
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer="gateway") from error

    def cancel(self) -> None:
        """Ends the call."""
        self._call.cancel()


class ZeroRetentionPeer:
    """`ZeroRetention`: what policy says of a domain, at most a second old."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = IdentityServiceStub(channel)
        self._known: OrderedDict[str, tuple[float, bool]] = OrderedDict()

    async def binds(self, domain: str) -> bool:
        """Whether nothing of the domain may be stored."""
        known = self._known.get(domain)
        if known is not None and time.monotonic() - known[0] < _FRESH:
            return known[1]
        read_at = time.monotonic()
        try:
            answer = await self._stub.GetDomain(identity_pb2.GetDomainRequest(name=domain), timeout=_QUICK)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer="policy") from error
        binds = answer.domain.zero_retention or answer.domain.effective.zero_retention
        self._known[domain] = (read_at, binds)
        if len(self._known) > _MOST_DOMAINS:
            self._known.popitem(last=False)
        return binds
