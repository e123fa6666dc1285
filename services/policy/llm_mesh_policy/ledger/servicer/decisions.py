"""The ledger's share of `PolicyService`: reservations, kept answers, replay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_policy.ledger.domain.kept_answers import KeptAnswers, check_answer
from llm_mesh_policy.ledger.domain.lifecycle import Lifecycle
from llm_mesh_policy.ledger.domain.refusing import Refusing
from llm_mesh_policy.ledger.domain.replay import ReplayedRecords
from llm_mesh_policy.ledger.domain.reserving import Reserving

if TYPE_CHECKING:
    from llm_mesh_policy.servicer.answers import Context


class DecisionsServicer:
    """Unpacks, calls, packs."""

    def __init__(
        self,
        reserving: Reserving,
        lifecycle: Lifecycle,
        replay: ReplayedRecords,
        answers: KeptAnswers,
        *,
        refusing: Refusing,
    ) -> None:
        self._reserving = reserving
        self._lifecycle = lifecycle
        self._replay = replay
        self._answers = answers
        self._refusing = refusing

    async def Reserve(self, request: policy_pb2.ReserveRequest, context: Context) -> policy_pb2.ReserveResponse:
        response = policy_pb2.ReserveResponse()
        held = (await self._reserving.reserve(request, response.grant)).held
        response.reserved.CopyFrom(held.reservation.entry.reserved)  # a keyword would pack and parse it
        if held.limits:
            response.limits.extend(held.limits)
        if key := request.idempotency_key:
            response.answer_limit_bytes = self._answers.limit(held.reservation.project, key)
        return response

    async def Extend(self, request: policy_pb2.ExtendRequest, context: Context) -> policy_pb2.ExtendResponse:
        response = policy_pb2.ExtendResponse()
        held = (await self._reserving.extend(request, response.grant)).held
        response.reserved.CopyFrom(held.reservation.entry.reserved)
        return response

    async def Settle(self, request: policy_pb2.SettleRequest, context: Context) -> policy_pb2.SettleResponse:
        has_answer = request.HasField("answer")
        if has_answer:
            check_answer(request)
        settled = await self._lifecycle.settle(request.reservation_id, request.lines, request.screened[:])
        if has_answer:
            await self._answers.keep(request, settled)
        entry = settled.entry
        response = policy_pb2.SettleResponse(state=entry.state, repeated_call=settled.repeated)
        response.charged.CopyFrom(entry.charged)
        lines = response.lines
        for line in entry.lines[:]:
            lines.add().CopyFrom(line)
        return response

    async def GetKeptAnswer(self, request: policy_pb2.GetKeptAnswerRequest, context: Context) -> policy_pb2.GetKeptAnswerResponse:
        repeated = await self._answers.of(request)
        return policy_pb2.GetKeptAnswerResponse(entry=repeated.entry, answer=repeated.answer)

    async def Release(self, request: policy_pb2.ReleaseRequest, context: Context) -> policy_pb2.ReleaseResponse:
        return policy_pb2.ReleaseResponse(state=await self._lifecycle.release(request.reservation_id, self._refusing.why(request)))

    async def Heartbeat(self, request: policy_pb2.HeartbeatRequest, context: Context) -> policy_pb2.HeartbeatResponse:
        return await self._lifecycle.heartbeat(request)

    async def ReplayUsage(
        self,
        request: policy_pb2.ReplayUsageRequest,
        context: Context,
    ) -> AsyncIterator[policy_pb2.ReplayUsageResponse]:
        async for events in self._replay.events(request.from_sequence):
            yield policy_pb2.ReplayUsageResponse(events=events)
