"""`PolicyService`, whose RPCs belong to five slices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import audit_pb2, policy_pb2, policy_pb2_grpc

if TYPE_CHECKING:
    from llm_mesh_policy.admission.servicer import AdmitServicer
    from llm_mesh_policy.audit.servicer import AuditServicer
    from llm_mesh_policy.identity.servicer.authorize import AuthorizeServicer
    from llm_mesh_policy.ledger.servicer.decisions import DecisionsServicer
    from llm_mesh_policy.screening.servicer import ScreenServicer
    from llm_mesh_policy.servicer.answers import Answer, Context


class PolicyServicer(policy_pb2_grpc.PolicyServiceServicer):
    """Hands each RPC to the slice that answers it."""

    def __init__(
        self,
        *,
        identity: AuthorizeServicer,
        admission: AdmitServicer,
        ledger: DecisionsServicer,
        screening: ScreenServicer,
        audit: AuditServicer,
    ) -> None:
        self._identity = identity
        self._admission = admission
        self._ledger = ledger
        self._screening = screening
        self._audit = audit

    def RecordChanges(self, request: audit_pb2.RecordChangesRequest, context: Context) -> Answer[audit_pb2.RecordChangesResponse]:
        return self._audit.RecordChanges(request, context)

    def Authorize(self, request: policy_pb2.AuthorizeRequest, context: Context) -> Answer[policy_pb2.AuthorizeResponse]:
        return self._identity.Authorize(request, context)

    def CreateDelegation(
        self, request: policy_pb2.CreateDelegationRequest, context: Context
    ) -> Answer[policy_pb2.CreateDelegationResponse]:
        return self._identity.CreateDelegation(request, context)

    def RedeemDelegation(
        self, request: policy_pb2.RedeemDelegationRequest, context: Context
    ) -> Answer[policy_pb2.RedeemDelegationResponse]:
        return self._identity.RedeemDelegation(request, context)

    def WatchRevision(self, request: policy_pb2.WatchRevisionRequest, context: Context) -> AsyncIterator[policy_pb2.WatchRevisionResponse]:
        return self._identity.WatchRevision(request, context)

    def CheckReadiness(self, request: policy_pb2.CheckReadinessRequest, context: Context) -> Answer[policy_pb2.CheckReadinessResponse]:
        return self._identity.CheckReadiness(request, context)

    def Admit(self, request: policy_pb2.AdmitRequest, context: Context) -> Answer[policy_pb2.AdmitResponse]:
        return self._admission.Admit(request, context)

    def Reserve(self, request: policy_pb2.ReserveRequest, context: Context) -> Answer[policy_pb2.ReserveResponse]:
        return self._ledger.Reserve(request, context)

    def Extend(self, request: policy_pb2.ExtendRequest, context: Context) -> Answer[policy_pb2.ExtendResponse]:
        return self._ledger.Extend(request, context)

    def Settle(self, request: policy_pb2.SettleRequest, context: Context) -> Answer[policy_pb2.SettleResponse]:
        return self._ledger.Settle(request, context)

    def GetKeptAnswer(self, request: policy_pb2.GetKeptAnswerRequest, context: Context) -> Answer[policy_pb2.GetKeptAnswerResponse]:
        return self._ledger.GetKeptAnswer(request, context)

    def Release(self, request: policy_pb2.ReleaseRequest, context: Context) -> Answer[policy_pb2.ReleaseResponse]:
        return self._ledger.Release(request, context)

    def Heartbeat(self, request: policy_pb2.HeartbeatRequest, context: Context) -> Answer[policy_pb2.HeartbeatResponse]:
        return self._ledger.Heartbeat(request, context)

    def ScreenStream(
        self, request_iterator: AsyncIterator[policy_pb2.ScreenStreamRequest], context: Context
    ) -> AsyncIterator[policy_pb2.ScreenStreamResponse]:
        return self._screening.ScreenStream(request_iterator, context)

    def ReplayUsage(self, request: policy_pb2.ReplayUsageRequest, context: Context) -> AsyncIterator[policy_pb2.ReplayUsageResponse]:
        return self._ledger.ReplayUsage(request, context)
