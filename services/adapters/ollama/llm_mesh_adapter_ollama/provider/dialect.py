"""The dialect as the kit calls it: requests and answers in the bytes of `POST /api/chat` and its siblings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_kit.dialect import Ask, Call, StreamReader, VectorReader
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, extra_not_allowed, unsupported
from llm_mesh_adapter_kit.framing import Framing
from llm_mesh_adapter_kit.ndjson import NDJSON
from llm_mesh_adapter_ollama.provider.bodies import answered_by, understood
from llm_mesh_adapter_ollama.provider.failures import of_answer
from llm_mesh_adapter_ollama.provider.stream import OllamaStream
from llm_mesh_adapter_ollama.provider.vectors import OllamaVectors
from llm_mesh_dialects.allowing import Allowance
from llm_mesh_dialects.errors import CostlyError, DialectError
from llm_mesh_dialects.extras import dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.ollama import embeddings, models, requests, responses
from llm_mesh_runtime.errors import invalid

T = TypeVar("T")
_CHAT: Final = "/api/chat"
_EMBED: Final = "/api/embed"
_TAGS: Final = "/api/tags"
_SHOW: Final = "/api/show"


class OllamaDialect:
    """Implements `Dialect` and `Describing` of the kit. Servers keep no data: there is no key that would forbid it."""

    framing: Framing = NDJSON

    def generate(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
        """The request for an answer."""
        body, translations = _translated(
            lambda: requests.input_to_chat(
                request,
                model=ask.model,
                stream=ask.stream,
                max_output_tokens=ask.max_output_tokens,
                allowance=Allowance(ask.endpoint.extras),
            )
        )
        return Call(_CHAT, dumped(body), translations=translations)

    def output(self, endpoint: Endpoint, body: bytes, output: generate_pb2.GenerateOutput) -> None:
        """A whole answer."""
        answer = answered_by(endpoint.name, body)
        understood(endpoint.name, lambda: responses.chat_into_output(output, answer))

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """Reads one stream."""
        return OllamaStream(endpoint.name)

    def embed(self, ask: Ask, request: embed_pb2.EmbedInput) -> Call:
        """The request for embeddings. Vectors come as lists of numbers, however they are asked for."""
        body, translations = _translated(
            lambda: embeddings.input_to_embed(request, model=ask.model, allowance=Allowance(ask.endpoint.extras))
        )
        return Call(_EMBED, dumped(body), translations=translations)

    def vectors(self, endpoint: Endpoint, items: int) -> VectorReader:
        """Reads one answer with embeddings."""
        return OllamaVectors(endpoint, items)

    def refuses_packed(self, endpoint: Endpoint, error: AdapterError) -> bool:
        """There is one form of vectors."""
        del endpoint, error
        return False

    def count(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call | None:
        """The dialect counts nothing beforehand: the kit answers with an upper bound."""
        del ask, request
        return None

    def counted(self, endpoint: Endpoint, body: bytes) -> int:
        """It is never asked for a count."""
        del body
        raise unsupported(endpoint.name, "counts of tokens")

    def models(self, endpoint: Endpoint) -> Call:
        """The request for models."""
        del endpoint
        return Call(_TAGS, method="GET")

    def check(self, endpoint: Endpoint) -> Call:
        """The list of models is short."""
        return self.models(endpoint)

    def model_ids(self, endpoint: Endpoint, body: bytes) -> Sequence[str]:
        """The names of a list of models."""
        answer = answered_by(endpoint.name, body)
        return understood(endpoint.name, lambda: models.names(answer))

    def listed(self, endpoint: Endpoint, body: bytes) -> Sequence[adapter_pb2.ModelDescription]:
        """The list has names alone."""
        return [adapter_pb2.ModelDescription(model=name) for name in self.model_ids(endpoint, body)]

    def describe(self, endpoint: Endpoint, model: str) -> Call:
        """The request for what a model can do."""
        del endpoint
        return Call(_SHOW, dumped({"model": model}))

    def described(self, endpoint: Endpoint, body: bytes, description: adapter_pb2.ModelDescription) -> None:
        """Capabilities and context window."""
        answer = answered_by(endpoint.name, body)
        shown = understood(endpoint.name, lambda: Fields(answer))
        description.capabilities.extend(understood(endpoint.name, lambda: models.capabilities(shown)))
        description.context_window = understood(endpoint.name, lambda: models.context_window(shown))

    def failure(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
        """What an answer whose status is not 200 means."""
        return of_answer(endpoint.name, status, headers, body)


def _translated(translate: Callable[[], T]) -> T:
    """A typed payload that the dialect cannot say is the caller's mistake."""
    try:
        return translate()
    except CostlyError as error:
        raise extra_not_allowed(f"input.{error.field}", error.name, error.expected) from None
    except DialectError as error:
        raise invalid(f"input.{error.field}", error.expected, sent="false") from None
