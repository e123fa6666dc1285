"""`AdapterService` over any dialect: unpack, one attempt, pack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from llm_mesh.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from llm_mesh_adapter_kit.attempts import Attempts, Work
from llm_mesh_adapter_kit.counting import count
from llm_mesh_runtime.resources import page_of

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from llm_mesh_adapter_kit.grants import Grants

    Context = ServicerContext[Any, Any]


class AdapterServicer(adapter_pb2_grpc.AdapterServiceServicer):
    """Calls providers as grants say."""

    def __init__(self, attempts: Attempts, grants: Grants) -> None:
        self._attempts = attempts
        self._grants = grants

    async def Generate(self, request: adapter_pb2.GenerateRequest, context: Context) -> adapter_pb2.GenerateResponse:
        return await self._attempts.generate(self._granted(request), request.input)

    async def GenerateStream(
        self, request: adapter_pb2.GenerateStreamRequest, context: Context
    ) -> AsyncIterator[adapter_pb2.GenerateStreamResponse]:
        async for message in self._attempts.stream(self._granted(request), request.input):
            yield message

    async def Embed(self, request: adapter_pb2.EmbedRequest, context: Context) -> adapter_pb2.EmbedResponse:
        allowed = self._grants.check(request.grant, request.attempt, 1)
        return await self._attempts.embed(Work(request.attempt, allowed.max_output_tokens), request.input)

    async def CountTokens(self, request: adapter_pb2.CountTokensRequest, context: Context) -> adapter_pb2.CountTokensResponse:
        return adapter_pb2.CountTokensResponse(count=await count(self._attempts, request.attempt, request.input))

    async def ListEndpoints(self, request: adapter_pb2.ListEndpointsRequest, context: Context) -> adapter_pb2.ListEndpointsResponse:
        page = page_of(request)
        rest = [endpoint for endpoint in self._attempts.endpoints.all() if endpoint.name > page.after][: page.limit]
        shown, token = page.cut(rest, key=lambda endpoint: endpoint.name)
        return adapter_pb2.ListEndpointsResponse(endpoints=[self._attempts.shown(endpoint) for endpoint in shown], next_page_token=token)

    async def DiscoverModels(self, request: adapter_pb2.DiscoverModelsRequest, context: Context) -> adapter_pb2.DiscoverModelsResponse:
        return adapter_pb2.DiscoverModelsResponse(models=await self._attempts.discover(request.endpoint))

    def _granted(self, request: adapter_pb2.GenerateRequest | adapter_pb2.GenerateStreamRequest) -> Work:
        allowed = self._grants.check(request.grant, request.attempt, request.input.candidate_count)
        most = min(request.attempt.max_output_tokens or allowed.max_output_tokens, allowed.max_output_tokens)
        return Work(request.attempt, most, exact=request.exact)
