"""Unpacks requests, has them carried out, packs answers."""

from __future__ import annotations

import time
from typing import Any, TypeVar, cast

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh_gateway.domain.counting import Counting
from llm_mesh_gateway.domain.gateway import Gateway, Request
from llm_mesh_gateway.domain.listing import Listing
from llm_mesh_gateway.domain.methods import METHODS, MethodOperation
from llm_mesh_gateway.domain.operation import Embedding, Generation, Operation, exact
from llm_mesh_gateway.domain.outlets import Streamed, Vectors, Whole
from llm_mesh_gateway.domain.ports import Services
from llm_mesh_runtime.context import DECISION, caller, request_id

Asking = (
    gateway_pb2.GenerateRequest
    | gateway_pb2.GenerateStreamRequest
    | gateway_pb2.EmbedRequest
    | gateway_pb2.EmbedStreamRequest
    | gateway_pb2.CountTokensRequest
    | gateway_pb2.RerankRequest
    | gateway_pb2.ModerateRequest
    | gateway_pb2.AssessRequest
    | gateway_pb2.GenerateImageRequest
    | gateway_pb2.SpeakRequest
    | gateway_pb2.TranscribeRequest
)
Answered = TypeVar(
    "Answered",
    gateway_pb2.RerankResponse,
    gateway_pb2.ModerateResponse,
    gateway_pb2.AssessResponse,
    gateway_pb2.GenerateImageResponse,
    gateway_pb2.SpeakResponse,
    gateway_pb2.TranscribeResponse,
)


class GatewayServicer(gateway_pb2_grpc.GatewayServiceServicer):
    """`llm_mesh.gateway.v1.GatewayService`."""

    def __init__(self, gateway: Gateway, counting: Counting, listing: Listing, services: Services) -> None:
        self._gateway = gateway
        self._counting = counting
        self._listing = listing
        self._services = services

    async def Generate(self, request: gateway_pb2.GenerateRequest, context: Any) -> gateway_pb2.GenerateResponse:  # noqa: ANN401
        options = _options(request)
        operation = Generation(request.input, streamed=False, exact=exact(options))
        response = gateway_pb2.GenerateResponse()
        await self._gateway.answer(_request(operation, options, context), Whole(response.output), response.receipt)
        return response

    async def GenerateStream(  # type: ignore[override]  # writes by itself, so that cancellation has one way in
        self,
        request: gateway_pb2.GenerateStreamRequest,
        context: Any,  # noqa: ANN401
    ) -> None:
        streamed = Streamed(context.write_serialised)
        options = _options(request)
        operation = Generation(request.input, streamed=True, exact=exact(options))
        last = gateway_pb2.GenerateStreamResponse()
        await self._gateway.answer(_request(operation, options, context), streamed, last.receipt)
        await context.write(last)

    async def Embed(self, request: gateway_pb2.EmbedRequest, context: Any) -> gateway_pb2.EmbedResponse:  # noqa: ANN401
        options = _options(request)
        vectors, receipt = await self._vectors(request, options, context)
        return cast("gateway_pb2.EmbedResponse", await vectors.whole(receipt))

    async def EmbedStream(  # type: ignore[override]  # writes by itself, what is serialised already
        self,
        request: gateway_pb2.EmbedStreamRequest,
        context: Any,  # noqa: ANN401
    ) -> None:
        vectors, receipt = await self._vectors(request, _options(request), context)
        await vectors.write(receipt, context.write_serialised)

    async def _vectors(
        self,
        request: gateway_pb2.EmbedRequest | gateway_pb2.EmbedStreamRequest,
        options: gateway_pb2.RequestOptions | None,
        context: Any,  # noqa: ANN401
    ) -> tuple[Vectors, gateway_pb2.Receipt]:
        operation = Embedding(request.input, exact=exact(options))
        vectors, receipt = Vectors(), gateway_pb2.Receipt()
        await self._gateway.answer(_request(operation, options, context), vectors, receipt)
        return vectors, receipt

    async def Rerank(self, request: gateway_pb2.RerankRequest, context: Any) -> gateway_pb2.RerankResponse:  # noqa: ANN401
        return await self._answered("rerank", request, gateway_pb2.RerankResponse(), context)

    async def Moderate(self, request: gateway_pb2.ModerateRequest, context: Any) -> gateway_pb2.ModerateResponse:  # noqa: ANN401
        return await self._answered("moderate", request, gateway_pb2.ModerateResponse(), context)

    async def Assess(self, request: gateway_pb2.AssessRequest, context: Any) -> gateway_pb2.AssessResponse:  # noqa: ANN401
        return await self._answered("assess", request, gateway_pb2.AssessResponse(), context)

    async def GenerateImage(self, request: gateway_pb2.GenerateImageRequest, context: Any) -> gateway_pb2.GenerateImageResponse:  # noqa: ANN401
        return await self._answered("generate_image", request, gateway_pb2.GenerateImageResponse(), context)

    async def Speak(self, request: gateway_pb2.SpeakRequest, context: Any) -> gateway_pb2.SpeakResponse:  # noqa: ANN401
        return await self._answered("speak", request, gateway_pb2.SpeakResponse(), context)

    async def Transcribe(self, request: gateway_pb2.TranscribeRequest, context: Any) -> gateway_pb2.TranscribeResponse:  # noqa: ANN401
        return await self._answered("transcribe", request, gateway_pb2.TranscribeResponse(), context)

    async def _answered(self, name: str, request: Asking, response: Answered, context: Any) -> Answered:  # noqa: ANN401
        options = _options(request)
        operation = MethodOperation(METHODS[name], request.input, exact=exact(options))
        await self._gateway.answer(_request(operation, options, context), Whole(response.output), response.receipt)
        return response

    async def CountTokens(self, request: gateway_pb2.CountTokensRequest, context: Any) -> gateway_pb2.CountTokensResponse:  # noqa: ANN401
        options = _options(request)
        operation = Generation(request.input, streamed=False, exact=exact(options))
        return await self._counting.count(_request(operation, options, context), operation)

    async def ListModels(self, request: gateway_pb2.ListModelsRequest, context: Any) -> gateway_pb2.ListModelsResponse:  # noqa: ANN401
        return await self._listing.models(caller().domain, request)

    async def CheckServices(self, request: gateway_pb2.CheckServicesRequest, context: Any) -> gateway_pb2.CheckServicesResponse:  # noqa: ANN401
        return gateway_pb2.CheckServicesResponse(services=await self._services.check())

    async def CheckReadiness(self, request: gateway_pb2.CheckReadinessRequest, context: Any) -> gateway_pb2.CheckReadinessResponse:  # noqa: ANN401
        return gateway_pb2.CheckReadinessResponse(conditions=await self._services.readiness())


def _options(request: Asking) -> gateway_pb2.RequestOptions | None:
    return request.options if request.HasField("options") else None


def _request(operation: Operation, options: gateway_pb2.RequestOptions | None, context: Any) -> Request:  # noqa: ANN401
    def decided(decision_id: str) -> None:
        context.set_trailing_metadata(((DECISION, decision_id),))

    return Request(operation, options, caller(), request_id(), time.monotonic(), decided)
