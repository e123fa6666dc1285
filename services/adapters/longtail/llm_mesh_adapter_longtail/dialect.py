"""The kit's `Dialect` over a library: requests in OpenAI's form as arguments of its functions, its answers in the same form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from llm_mesh.inference.v1 import embed_pb2, generate_pb2, rerank_pb2
from llm_mesh_adapter_kit.dialect import Ask, Call, StreamReader, VectorReader
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, unsupported
from llm_mesh_adapter_kit.framing import Framing
from llm_mesh_adapter_kit.methods import AnsweredMethod, DialectMethod, DialectMethods
from llm_mesh_adapter_kit.ndjson import NDJSON
from llm_mesh_adapter_longtail.failures import of_answer
from llm_mesh_adapter_longtail.reading import LibraryStream, LibraryVectors, answered_by, understood
from llm_mesh_adapter_longtail.saying import CHAT, EMBEDDING, RERANKING, allowance_of, sayable, written
from llm_mesh_dialects import openai
from llm_mesh_dialects.cohere import reranking
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai.quirks import OpenAIQuirks

QUIRKS: Final = OpenAIQuirks(max_tokens="max_tokens", developer_role=False, base64_vectors=False, prompt_cache_key=False)
"""What libraries take for all their providers."""
_NOT_KEPT: Final = generate_pb2.Translation(
    field="zero_retention",
    action=generate_pb2.TRANSLATION_ACTION_APPROXIMATED,
    note="no library forbids a provider to keep data; the account with the provider must",
)


class LongtailDialect:
    """Chats, embeddings and reranking by a library. `providers` are the library's names of what endpoints are, by endpoint."""

    framing: Framing = NDJSON

    def __init__(self, providers: Mapping[str, str]) -> None:
        self._providers = providers

    def generate(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
        """The call for a generation."""
        body, translations = sayable(
            lambda: openai.requests.input_to_chat(
                request,
                QUIRKS,
                model=ask.model,
                stream=ask.stream,
                max_output_tokens=ask.max_output_tokens,
                allowance=allowance_of(ask.endpoint),
            )
        )
        names = openai.requests.shorten_tool_names(body, QUIRKS, translations)
        if ask.zero_retention:
            translations.append(_NOT_KEPT)
        data = written("chat", self._provider(ask.endpoint), ask.model, body, CHAT, translations)
        return Call("/chat", data, translations=translations, tool_names=names)

    def output(self, endpoint: Endpoint, body: bytes, output: generate_pb2.GenerateOutput) -> None:
        """A whole answer."""
        parsed = answered_by(endpoint.name, body)
        understood(endpoint.name, lambda: openai.responses.chat_into_output(output, parsed, QUIRKS))

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """Reads one streamed answer."""
        return LibraryStream(endpoint.name, QUIRKS)

    def embed(self, ask: Ask, request: embed_pb2.EmbedInput) -> Call:
        """The call for embeddings."""
        body, translations = sayable(
            lambda: openai.embeddings.input_to_body(request, QUIRKS, model=ask.model, allowance=allowance_of(ask.endpoint))
        )
        data = written("embed", self._provider(ask.endpoint), ask.model, body, EMBEDDING, translations)
        return Call("/embed", data, translations=translations)

    def vectors(self, endpoint: Endpoint, items: int) -> VectorReader:
        """Reads one answer with embeddings of so many items."""
        return LibraryVectors(endpoint, QUIRKS, items)

    def refuses_packed(self, endpoint: Endpoint, error: AdapterError) -> bool:
        """There is one form of vectors."""
        del endpoint, error
        return False

    def count(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call | None:
        """A library's count is a guess by a tokenizer that may be another one: the kit answers with an upper bound, and says so."""
        del ask, request
        return None

    def counted(self, endpoint: Endpoint, body: bytes) -> int:
        """It is never asked for a count."""
        del body
        raise unsupported(endpoint.name, "counts of tokens")

    def models(self, endpoint: Endpoint) -> Call:
        """The call for the provider's models."""
        return Call("/models", written("models", self._provider(endpoint), "", {}, frozenset(), []))

    def check(self, endpoint: Endpoint) -> Call:
        """The provider's models: the one call that costs nothing."""
        return self.models(endpoint)

    def model_ids(self, endpoint: Endpoint, body: bytes) -> Sequence[str]:
        """The names of a list of models."""
        listed = Fields(answered_by(endpoint.name, body))
        return understood(endpoint.name, lambda: [each.required_text("id") for each in listed.each("data")])

    def failure(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
        """What a call that raised means."""
        return of_answer(endpoint.name, status, headers, body)

    def methods(self) -> DialectMethods:
        """By the name of the RPC."""
        return {"Rerank": DialectMethod(self._rerank, self._reranked)}

    def _rerank(self, ask: Ask, request: rerank_pb2.RerankInput) -> Call:
        body, translations = sayable(lambda: reranking.input_to_rerank(request, model=ask.model, allowance=allowance_of(ask.endpoint)))
        data = written("rerank", self._provider(ask.endpoint), ask.model, body, RERANKING, translations)
        return Call("/rerank", data, translations=translations)

    def _reranked(self, answer: AnsweredMethod, request: rerank_pb2.RerankInput, output: rerank_pb2.RerankOutput) -> None:
        body = answered_by(answer.endpoint.name, answer.body)
        understood(answer.endpoint.name, lambda: reranking.rerank_into_output(body, request, output))

    def _provider(self, endpoint: Endpoint) -> str:
        return self._providers[endpoint.name]
