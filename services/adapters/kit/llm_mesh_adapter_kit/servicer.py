"""The RPCs of every adapter, whatever its dialect: unpack, one call, pack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Any

from llm_mesh.adapter.v1 import adapter_pb2, adapter_pb2_grpc

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from llm_mesh_adapter_kit.served import ServedAdapter

    Context = ServicerContext[Any, Any]


class AdapterServicer(adapter_pb2_grpc.AdapterServiceServicer):
    """`llm_mesh.adapter.v1.AdapterService`."""

    def __init__(self, adapter: ServedAdapter) -> None:
        self._adapter = adapter

    def Generate(self, request: adapter_pb2.GenerateRequest, context: Context) -> Awaitable[adapter_pb2.GenerateResponse]:
        return self._adapter.generate(request)

    def GenerateStream(
        self, request: adapter_pb2.GenerateStreamRequest, context: Context
    ) -> AsyncIterator[adapter_pb2.GenerateStreamResponse]:
        return self._adapter.stream(request)  # a generator around it would take part in every read

    async def Embed(self, request: adapter_pb2.EmbedRequest, context: Context) -> adapter_pb2.EmbedResponse:
        return await self._adapter.embed(request)

    def EmbedStream(self, request: adapter_pb2.EmbedStreamRequest, context: Context) -> AsyncIterator[adapter_pb2.EmbedStreamResponse]:
        return self._adapter.embed_stream(request)

    async def Rerank(self, request: adapter_pb2.RerankRequest, context: Context) -> adapter_pb2.RerankResponse:
        response = adapter_pb2.RerankResponse()
        await self._adapter.answer("Rerank", request, response)
        return response

    async def Moderate(self, request: adapter_pb2.ModerateRequest, context: Context) -> adapter_pb2.ModerateResponse:
        response = adapter_pb2.ModerateResponse()
        await self._adapter.answer("Moderate", request, response)
        return response

    async def Assess(self, request: adapter_pb2.AssessRequest, context: Context) -> adapter_pb2.AssessResponse:
        response = adapter_pb2.AssessResponse()
        await self._adapter.answer("Assess", request, response)
        return response

    async def GenerateImage(self, request: adapter_pb2.GenerateImageRequest, context: Context) -> adapter_pb2.GenerateImageResponse:
        response = adapter_pb2.GenerateImageResponse()
        await self._adapter.answer("GenerateImage", request, response)
        return response

    async def Speak(self, request: adapter_pb2.SpeakRequest, context: Context) -> adapter_pb2.SpeakResponse:
        response = adapter_pb2.SpeakResponse()
        await self._adapter.answer("Speak", request, response)
        return response

    async def Transcribe(self, request: adapter_pb2.TranscribeRequest, context: Context) -> adapter_pb2.TranscribeResponse:
        response = adapter_pb2.TranscribeResponse()
        await self._adapter.answer("Transcribe", request, response)
        return response

    async def CountTokens(self, request: adapter_pb2.CountTokensRequest, context: Context) -> adapter_pb2.CountTokensResponse:
        return adapter_pb2.CountTokensResponse(count=await self._adapter.count(request))

    async def ListEndpoints(self, request: adapter_pb2.ListEndpointsRequest, context: Context) -> adapter_pb2.ListEndpointsResponse:
        return await self._adapter.endpoints(request)

    async def DiscoverModels(self, request: adapter_pb2.DiscoverModelsRequest, context: Context) -> adapter_pb2.DiscoverModelsResponse:
        return await self._adapter.discover(request.endpoint)

    async def CheckEndpoint(self, request: adapter_pb2.CheckEndpointRequest, context: Context) -> adapter_pb2.CheckEndpointResponse:
        return await self._adapter.check(request)
