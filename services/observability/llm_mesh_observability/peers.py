"""The ledger of record, as observability sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc

from llm_mesh.policy.v1 import policy_pb2, policy_pb2_grpc, usage_pb2
from llm_mesh_runtime.peer_errors import from_rpc_error


class LedgerPeer:
    """Reads usage events from policy."""

    def __init__(self, channel: Any) -> None:  # noqa: ANN401 - what stubs take has no common type
        self._stub = policy_pb2_grpc.PolicyServiceStub(channel)

    async def replay(self, from_sequence: int) -> AsyncIterator[Sequence[usage_pb2.UsageEvent]]:
        """All usage events from a sequence on, oldest first."""
        call = self._stub.ReplayUsage(policy_pb2.ReplayUsageRequest(from_sequence=from_sequence))
        try:
            async for message in call:
                yield message.events
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer="policy") from error
        finally:
            call.cancel()
