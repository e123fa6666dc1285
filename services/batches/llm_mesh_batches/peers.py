"""The gateway, which answers lines, and policy, which lets them act for their owner."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import grpc

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.gateway.v1.gateway_pb2_grpc import GatewayServiceStub
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh.policy.v1.policy_pb2_grpc import PolicyServiceStub
from llm_mesh_batches.domain.endpoints import Call
from llm_mesh_runtime.peer_errors import from_rpc_error

T = TypeVar("T")
_QUICK: Final = 5.0


async def _answered(call: Awaitable[T], peer: str) -> T:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error, peer=peer) from error


class LineGatewayPeer:
    """`LineGateway`."""

    def __init__(self, channel: Any, deadline: timedelta) -> None:  # noqa: ANN401 - what stubs take has no common type
        self._stub = GatewayServiceStub(channel)
        self._deadline = deadline.total_seconds()

    async def generate(self, request: gateway_pb2.GenerateRequest, call: Call) -> gateway_pb2.GenerateResponse:
        """Ask for a whole answer."""
        return await _answered(self._stub.Generate(request, timeout=self._deadline, metadata=tuple(call.items())), "gateway")

    async def embed(self, request: gateway_pb2.EmbedRequest, call: Call) -> gateway_pb2.EmbedResponse:
        """Ask for vectors."""
        return await _answered(self._stub.Embed(request, timeout=self._deadline, metadata=tuple(call.items())), "gateway")


class DelegationPeer:
    """`CallerDelegations`."""

    def __init__(self, channel: Any) -> None:  # noqa: ANN401 - what stubs take has no common type
        self._stub = PolicyServiceStub(channel)

    async def create(self, caller: resources_pb2.Sealed, expires: datetime, purpose: str) -> bytes:
        """Ask to act for a caller."""
        request = policy_pb2.CreateDelegationRequest(caller=caller, purpose=purpose)
        request.expire_time.FromDatetime(expires)
        answer = await _answered(self._stub.CreateDelegation(request, timeout=_QUICK), "policy")
        return answer.delegation.SerializeToString()

    async def redeem(self, delegation: bytes) -> policy_pb2.RedeemDelegationResponse:
        """Ask for a credential."""
        request = policy_pb2.RedeemDelegationRequest(delegation=resources_pb2.Sealed.FromString(delegation))
        return await _answered(self._stub.RedeemDelegation(request, timeout=_QUICK), "policy")
