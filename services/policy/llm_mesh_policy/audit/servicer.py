"""The audit trail's share of `PolicyService`: unpack, one call of the domain, pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import audit_pb2
from llm_mesh_runtime.context import caller

if TYPE_CHECKING:
    from llm_mesh_policy.audit.domain.trail import Trail
    from llm_mesh_policy.servicer.answers import Context


class AuditServicer:
    """`RecordChanges`."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    async def RecordChanges(self, request: audit_pb2.RecordChangesRequest, context: Context) -> audit_pb2.RecordChangesResponse:
        return audit_pb2.RecordChangesResponse(recorded=await self._trail.record(caller().service, request.changes))
