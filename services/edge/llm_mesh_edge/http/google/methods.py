"""The methods of a model, whose name stands in the path: `/v1/models/claims/summariser:generateContent`."""

from __future__ import annotations

from functools import partial

from llm_mesh_dialects.gemini import requests, responses
from llm_mesh_edge.http.counts import TokenCounts
from llm_mesh_edge.http.embedding import EmbeddingHandler
from llm_mesh_edge.http.exchange import EVENTS, JSON, HttpExchange, ProblemError
from llm_mesh_edge.http.generation import Conversations
from llm_mesh_edge.http.google.blocking import answer_block, is_block
from llm_mesh_edge.http.google.contents import GenerateContent
from llm_mesh_edge.http.google.embeddings import GoogleEmbeddings
from llm_mesh_edge.http.google.places import place
from llm_mesh_edge.http.parsing import ParsedRequest, parsed_request
from llm_mesh_edge.http.parts import EdgeParts
from llm_mesh_runtime.errors import MeshError

_MODELS = "/models/"
_EVENTS_ASKED = frozenset({b"alt=sse", b"$alt=sse", b"%24alt=sse"})


class ModelMethods:
    """Carries requests of models to the gateway and back."""

    def __init__(self, parts: EdgeParts) -> None:
        self._parts = parts
        self._conversations = Conversations(parts.gateway, parts.settings, parts.bodies)
        self._counts = TokenCounts(parts.gateway, parts.bodies)

    async def generate(self, exchange: HttpExchange) -> None:
        """`:generateContent`."""
        request = await self._conversation(exchange)
        try:
            await self._conversations.whole(exchange, request, GenerateContent(model_of(exchange.path)))
        except MeshError as error:
            failure = exchange.failure(error)
            if not is_block(failure):
                raise
            await answer_block(exchange, failure)

    async def stream(self, exchange: HttpExchange) -> None:
        """`:streamGenerateContent`, as server-sent events where the client asks for them, else as a JSON array."""
        request = await self._conversation(exchange)
        events = not _EVENTS_ASKED.isdisjoint(exchange.query.split(b"&"))
        dialect = GenerateContent(model_of(exchange.path), events=events)
        try:
            await self._conversations.streamed(exchange, request, dialect, EVENTS if events else JSON)
        except ProblemError as problem:
            if not is_block(problem.failure):
                raise
            await answer_block(exchange, problem.failure, dialect.frames())

    async def count(self, exchange: HttpExchange) -> None:
        """`:countTokens`."""
        request = await self._conversation(exchange)
        read = partial(requests.count_to_input, request.body, model=model_of(exchange.path))
        await self._counts.answer(exchange, request, place, read, responses.count_to_body)

    async def embed(self, exchange: HttpExchange) -> None:
        """`:embedContent`."""
        await self._embed(exchange, single=True)

    async def embed_batch(self, exchange: HttpExchange) -> None:
        """`:batchEmbedContents`."""
        await self._embed(exchange, single=False)

    async def _embed(self, exchange: HttpExchange, *, single: bool) -> None:
        dialect = GoogleEmbeddings(model_of(exchange.path), single=single)
        await EmbeddingHandler(self._parts.gateway, self._parts.bodies, dialect)(exchange)

    async def _conversation(self, exchange: HttpExchange) -> ParsedRequest:
        """The request, whose contents may all come from a prompt."""
        request = await parsed_request(exchange, self._parts.bodies)
        if request.options is not None and request.options.HasField("prompt"):
            request.body.setdefault("contents", [])
        return request


def model_of(path: str) -> str:
    """The alias in the path of a method: what stands between `/models/` and the last colon. It may have slashes and colons itself."""
    return path.partition(_MODELS)[2].rpartition(":")[0]
