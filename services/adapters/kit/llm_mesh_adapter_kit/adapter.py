"""An adapter: grants checked, attempts made, endpoints shown. What its servicer calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable

from google.protobuf.message import Message

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_kit.attempts import Attempts
from llm_mesh_adapter_kit.checking import Checking
from llm_mesh_adapter_kit.dialect import Ask, Dialect, Judging
from llm_mesh_adapter_kit.discovering import Discovering
from llm_mesh_adapter_kit.endpoint_list import EndpointList
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_adapter_kit.errors import AdapterError, unsupported
from llm_mesh_adapter_kit.grants import GrantCheck, Job, check_generation
from llm_mesh_adapter_kit.lanes import Lanes
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_kit.standing import UnclosedBreakers
from llm_mesh_adapter_kit.values import LARGE

MethodRequest = (
    adapter_pb2.RerankRequest
    | adapter_pb2.ModerateRequest
    | adapter_pb2.AssessRequest
    | adapter_pb2.GenerateImageRequest
    | adapter_pb2.SpeakRequest
    | adapter_pb2.TranscribeRequest
)
Generation = adapter_pb2.GenerateRequest | adapter_pb2.GenerateStreamRequest
Granted = Generation | adapter_pb2.EmbedRequest | adapter_pb2.EmbedStreamRequest | MethodRequest


class Adapter:
    """One dialect at its endpoints."""

    def __init__(
        self, dialect: Dialect, table: EndpointTable, grants: GrantCheck, attempts: Attempts, lanes: Lanes, standing: UnclosedBreakers
    ) -> None:
        self._dialect = dialect
        self._table = table
        self._grants = grants
        self._attempts = attempts
        self._list = EndpointList(table, lanes, standing, attempts.refusal)
        self._checking = Checking(self._ask)
        self._discovering = Discovering(dialect, attempts)

    def generate(self, request: adapter_pb2.GenerateRequest) -> Awaitable[adapter_pb2.GenerateResponse]:
        """A whole answer."""
        generation = request.input
        return self._attempts.generate(self._job(request, generation), generation, exact=request.exact)

    def stream(self, request: adapter_pb2.GenerateStreamRequest) -> AsyncGenerator[adapter_pb2.GenerateStreamResponse]:
        """An answer as it comes."""
        generation = request.input
        return self._attempts.stream(self._job(request, generation), generation, exact=request.exact)

    async def embed(self, request: adapter_pb2.EmbedRequest) -> adapter_pb2.EmbedResponse:
        """Embed texts, and answer in one message."""
        return await self._attempts.embed(self._granted(request), request.input)

    def embed_stream(self, request: adapter_pb2.EmbedStreamRequest) -> AsyncGenerator[adapter_pb2.EmbedStreamResponse]:
        """Vectors, in pieces."""
        return self._attempts.embed_stream(self._granted(request), request.input)

    async def answer(self, rpc: str, request: MethodRequest, response: Message) -> None:
        """The answer to a method with one input and one output."""
        await self._attempts.answer(rpc, self._granted(request), request, response)

    async def count(self, request: adapter_pb2.CountTokensRequest) -> embed_pb2.TokenCount:
        """The provider's count where it counts for nothing, else the plan's bound."""
        attempt = request.attempt
        endpoint = self._table.of(attempt.endpoint)
        if endpoint.serves(request.domain):
            if tokens := await self._own_count(endpoint, request):
                return embed_pb2.TokenCount(input_tokens=tokens, source=embed_pb2.COUNT_SOURCE_COUNTED)
            if tokens := await self._provider_count(endpoint, request):
                return embed_pb2.TokenCount(input_tokens=tokens, source=embed_pb2.COUNT_SOURCE_PROVIDER)
        if not attempt.max_input_tokens:
            raise unsupported(endpoint.name, "count of tokens, and the plan has no bound")
        return embed_pb2.TokenCount(input_tokens=attempt.max_input_tokens, source=embed_pb2.COUNT_SOURCE_ESTIMATED)

    async def endpoints(self, request: adapter_pb2.ListEndpointsRequest) -> adapter_pb2.ListEndpointsResponse:
        """A page of endpoints, and how they stand."""
        return await self._list.page(request)

    async def discover(self, name: str) -> adapter_pb2.DiscoverModelsResponse:
        """The models that an endpoint offers."""
        return await self._discovering.discover(self._table.of(name))

    async def check(self, request: adapter_pb2.CheckEndpointRequest) -> adapter_pb2.CheckEndpointResponse:
        """Whether an endpoint's provider answers and admits the mesh."""
        return await self._checking.check(self._table.of(request.endpoint), request)

    async def _ask(self, endpoint: Endpoint, limits: Limits) -> None:
        """The check of an endpoint."""
        body = await self._attempts.ask(endpoint, self._dialect.check(endpoint), limits)
        if isinstance(self._dialect, Judging):
            self._dialect.judge(endpoint, body)

    async def _own_count(self, endpoint: Endpoint, request: adapter_pb2.CountTokensRequest) -> int:
        """The count of the dialect's own tokenizer; 0 where it has none, or could not learn it."""
        attempt = request.attempt
        try:
            return await self._attempts.tokens(endpoint, attempt.upstream_model, request.input, attempt.max_input_tokens or LARGE)
        except AdapterError:
            return 0  # counting is a courtesy; the bound is always there

    async def _provider_count(self, endpoint: Endpoint, request: adapter_pb2.CountTokensRequest) -> int:
        """The provider's count; 0 where it counts for nothing, or did not answer."""
        ask = Ask(endpoint=endpoint, model=request.attempt.upstream_model, proof_key=self._grants.proof_key(request.domain))
        call = self._dialect.count(ask, request.input)
        if call is None:
            return 0
        try:
            return self._dialect.counted(endpoint, await self._attempts.ask(endpoint, call, domain=request.domain))
        except AdapterError:
            return 0  # counting is a courtesy; the bound is always there

    def _granted(self, request: Granted) -> Job:
        attempt = request.attempt
        return self._grants.job(request.grant, attempt, self._table.of(attempt.endpoint))

    def _job(self, request: Generation, generation: generate_pb2.GenerateInput) -> Job:
        job = self._granted(request)
        check_generation(job, generation)
        return job
