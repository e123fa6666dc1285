"""Policy, as the outbox sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import grpc

from llm_mesh.policy.v1 import audit_pb2, policy_pb2_grpc
from llm_mesh_runtime.peer_errors import from_rpc_error

_SECONDS = 10.0


class ChangeRecorder(Protocol):
    """Records changes durably. Fails with a `MeshError` where it cannot; what was recorded before is not recorded again."""

    async def record(self, changes: Sequence[audit_pb2.ChangeRecord]) -> None:
        """Records all of the changes."""


class RecordingPeer:
    """Policy by its contract."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = policy_pb2_grpc.PolicyServiceStub(channel)

    async def record(self, changes: Sequence[audit_pb2.ChangeRecord]) -> None:
        """Hands the changes over, at most 500."""
        try:
            await self._stub.RecordChanges(audit_pb2.RecordChangesRequest(changes=changes), timeout=_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer="policy") from error
