"""Observability's RPCs: unpack, one call of the domain, pack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from llm_mesh.observability.v1 import observability_pb2, observability_pb2_grpc
from llm_mesh_runtime.context import caller
from llm_mesh_runtime.resources import page_of

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from llm_mesh_observability.domain.observatory import Observatory
    from llm_mesh_runtime.tasks import TaskSet

    Context = ServicerContext[Any, Any]


class ObservabilityServicer(observability_pb2_grpc.ObservabilityServiceServicer):
    """Spend, tails, feedback, and the stream of events that they come from."""

    def __init__(self, observatory: Observatory, tasks: TaskSet) -> None:
        self._observatory = observatory
        self._tasks = tasks

    async def Ingest(self, request: observability_pb2.IngestRequest, context: Context) -> observability_pb2.IngestResponse:
        return observability_pb2.IngestResponse(through_sequence=await self._observatory.ingest(request.events))

    async def QuerySpend(self, request: observability_pb2.QuerySpendRequest, context: Context) -> observability_pb2.QuerySpendResponse:
        question = observability_pb2.QuerySpendRequest()
        question.CopyFrom(request)
        question.ClearField("page_token")
        question.ClearField("page_size")
        page = page_of(request, question.SerializeToString(deterministic=True).hex())
        rows, token, through = await self._observatory.spend(request, page, caller().party)
        return observability_pb2.QuerySpendResponse(rows=rows, next_page_token=token, through_sequence=through)

    async def Tail(self, request: observability_pb2.TailRequest, context: Context) -> AsyncIterator[observability_pb2.TailResponse]:
        async for message in self._observatory.tail(request, caller().party):
            yield message

    async def GetRequest(self, request: observability_pb2.GetRequestRequest, context: Context) -> observability_pb2.GetRequestResponse:
        return observability_pb2.GetRequestResponse(entry=await self._observatory.entry(request.name, caller().party))

    async def CreateFeedback(
        self, request: observability_pb2.CreateFeedbackRequest, context: Context
    ) -> observability_pb2.CreateFeedbackResponse:
        feedback = await self._observatory.add_feedback(request.parent, request.feedback, caller().principal)
        return observability_pb2.CreateFeedbackResponse(feedback=feedback)

    async def ListFeedback(
        self, request: observability_pb2.ListFeedbackRequest, context: Context
    ) -> observability_pb2.ListFeedbackResponse:
        feedback, token = await self._observatory.feedback(request.parent, page_of(request, request.parent), caller().party)
        return observability_pb2.ListFeedbackResponse(feedback=feedback, next_page_token=token)

    async def Rebuild(self, request: observability_pb2.RebuildRequest, context: Context) -> observability_pb2.RebuildResponse:
        target = await self._observatory.begin_rebuild()
        self._tasks.spawn(self._observatory.catch_up(), name="observability.rebuild")
        return observability_pb2.RebuildResponse(target_sequence=target)
