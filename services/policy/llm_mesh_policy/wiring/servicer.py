"""`PolicyService`, whose RPCs belong to two halves: who may (`Authorizer`), and at which cost (`Decisions`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from llm_mesh.policy.v1 import audit_pb2, policy_pb2, policy_pb2_grpc
from llm_mesh_runtime.context import caller

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from llm_mesh_policy.audit.domain.trail import Trail

    Context = ServicerContext[object, object]

T = TypeVar("T")
Answer = Coroutine[Any, Any, T]


class Authorizer(Protocol):
    """Says who calls, and whether they may."""

    def Authorize(self, request: policy_pb2.AuthorizeRequest, context: Context) -> Answer[policy_pb2.AuthorizeResponse]: ...
    def WatchRevision(
        self, request: policy_pb2.WatchRevisionRequest, context: Context
    ) -> AsyncIterator[policy_pb2.WatchRevisionResponse]: ...


class Decisions(Protocol):
    """Decides on requests, and on money."""

    def Admit(self, request: policy_pb2.AdmitRequest, context: Context) -> Answer[policy_pb2.AdmitResponse]: ...
    async def Reserve(self, request: policy_pb2.ReserveRequest, context: Context) -> policy_pb2.ReserveResponse: ...
    async def Extend(self, request: policy_pb2.ExtendRequest, context: Context) -> policy_pb2.ExtendResponse: ...
    async def Settle(self, request: policy_pb2.SettleRequest, context: Context) -> policy_pb2.SettleResponse: ...
    async def GetKeptAnswer(self, request: policy_pb2.GetKeptAnswerRequest, context: Context) -> policy_pb2.GetKeptAnswerResponse: ...
    async def Release(self, request: policy_pb2.ReleaseRequest, context: Context) -> policy_pb2.ReleaseResponse: ...
    async def Heartbeat(self, request: policy_pb2.HeartbeatRequest, context: Context) -> policy_pb2.HeartbeatResponse: ...
    def ScreenStream(
        self, request_iterator: AsyncIterator[policy_pb2.ScreenStreamRequest], context: Context
    ) -> AsyncIterator[policy_pb2.ScreenStreamResponse]: ...
    def ReplayUsage(self, request: policy_pb2.ReplayUsageRequest, context: Context) -> AsyncIterator[policy_pb2.ReplayUsageResponse]: ...


class PolicyServicer(policy_pb2_grpc.PolicyServiceServicer):
    """Hands each RPC to its half, and changes of other services to the audit trail."""

    def __init__(self, authorizer: Authorizer, decisions: Decisions, trail: Trail) -> None:
        self._authorizer = authorizer
        self._decisions = decisions
        self._trail = trail

    async def RecordChanges(self, request: audit_pb2.RecordChangesRequest, context: Context) -> audit_pb2.RecordChangesResponse:
        return audit_pb2.RecordChangesResponse(recorded=await self._trail.record(caller().service, request.changes))

    def Authorize(self, request: policy_pb2.AuthorizeRequest, context: Context) -> Answer[policy_pb2.AuthorizeResponse]:
        return self._authorizer.Authorize(request, context)

    def WatchRevision(self, request: policy_pb2.WatchRevisionRequest, context: Context) -> AsyncIterator[policy_pb2.WatchRevisionResponse]:
        return self._authorizer.WatchRevision(request, context)

    def Admit(self, request: policy_pb2.AdmitRequest, context: Context) -> Answer[policy_pb2.AdmitResponse]:
        return self._decisions.Admit(request, context)

    def Reserve(self, request: policy_pb2.ReserveRequest, context: Context) -> Answer[policy_pb2.ReserveResponse]:
        return self._decisions.Reserve(request, context)

    def Extend(self, request: policy_pb2.ExtendRequest, context: Context) -> Answer[policy_pb2.ExtendResponse]:
        return self._decisions.Extend(request, context)

    def Settle(self, request: policy_pb2.SettleRequest, context: Context) -> Answer[policy_pb2.SettleResponse]:
        return self._decisions.Settle(request, context)

    def GetKeptAnswer(self, request: policy_pb2.GetKeptAnswerRequest, context: Context) -> Answer[policy_pb2.GetKeptAnswerResponse]:
        return self._decisions.GetKeptAnswer(request, context)

    def Release(self, request: policy_pb2.ReleaseRequest, context: Context) -> Answer[policy_pb2.ReleaseResponse]:
        return self._decisions.Release(request, context)

    def Heartbeat(self, request: policy_pb2.HeartbeatRequest, context: Context) -> Answer[policy_pb2.HeartbeatResponse]:
        return self._decisions.Heartbeat(request, context)

    def ScreenStream(
        self, request_iterator: AsyncIterator[policy_pb2.ScreenStreamRequest], context: Context
    ) -> AsyncIterator[policy_pb2.ScreenStreamResponse]:
        return self._decisions.ScreenStream(request_iterator, context)

    def ReplayUsage(self, request: policy_pb2.ReplayUsageRequest, context: Context) -> AsyncIterator[policy_pb2.ReplayUsageResponse]:
        return self._decisions.ReplayUsage(request, context)
