"""The dialect as the kit calls it: requests and answers in the bytes of `POST /v2/chat` and its siblings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_cohere.provider.bodies import answered_by, understood
from llm_mesh_adapter_cohere.provider.failures import of_answer, of_end
from llm_mesh_adapter_cohere.provider.sayable import allowance_of, sayable
from llm_mesh_adapter_cohere.provider.stream import CohereStream
from llm_mesh_adapter_cohere.provider.vectors import CohereVectors
from llm_mesh_adapter_kit.dialect import Ask, Call, StreamReader, VectorReader
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, unsupported
from llm_mesh_adapter_kit.framing import Framing
from llm_mesh_adapter_kit.sse import SSE
from llm_mesh_dialects.cohere import embeddings, models, requests, responses
from llm_mesh_dialects.cohere.answers import complaint
from llm_mesh_dialects.cohere.vocabulary import ERROR
from llm_mesh_dialects.extras import dumped

_CHAT: Final = "/v2/chat"
_EMBED: Final = "/v2/embed"
_MODELS: Final = "/v1/models?page_size=1000"
_ONE_MODEL: Final = "/v1/models?page_size=1"


class CohereDialect:
    """Implements `Dialect` and `Describing` of the kit. No key of a request forbids to keep data: accounts are agreed to be so."""

    framing: Framing = SSE

    def __init__(self, input_type: str = embeddings.INPUT_TYPE) -> None:
        self._input_type = input_type

    def generate(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
        """The request for an answer."""
        body, translations = sayable(
            lambda: requests.input_to_chat(
                request,
                model=ask.model,
                stream=ask.stream,
                max_output_tokens=ask.max_output_tokens,
                allowance=allowance_of(ask.endpoint),
            )
        )
        return Call(_CHAT, dumped(body), translations=translations)

    def output(self, endpoint: Endpoint, body: bytes, output: generate_pb2.GenerateOutput) -> None:
        """A whole answer."""
        answer = answered_by(endpoint.name, body)
        understood(endpoint.name, lambda: responses.chat_into_output(output, answer))
        if output.choices[0].native_finish_reason == ERROR:
            raise of_end(endpoint.name, complaint(answer))

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """Reads one stream."""
        return CohereStream(endpoint.name)

    def embed(self, ask: Ask, request: embed_pb2.EmbedInput) -> Call:
        """The request for embeddings. Vectors come as lists of numbers, however they are asked for."""
        body, translations = sayable(
            lambda: embeddings.input_to_embed(request, model=ask.model, input_type=self._input_type, allowance=allowance_of(ask.endpoint))
        )
        return Call(_EMBED, dumped(body), translations=translations)

    def vectors(self, endpoint: Endpoint, items: int) -> VectorReader:
        """Reads one answer with embeddings."""
        return CohereVectors(endpoint, items)

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
        return Call(_MODELS, method="GET")

    def check(self, endpoint: Endpoint) -> Call:
        """The provider's models, of which one is enough."""
        del endpoint
        return Call(_ONE_MODEL, method="GET")

    def model_ids(self, endpoint: Endpoint, body: bytes) -> Sequence[str]:
        """The names of a list of models."""
        return [each.model for each in self.listed(endpoint, body)]

    def listed(self, endpoint: Endpoint, body: bytes) -> Sequence[adapter_pb2.ModelDescription]:
        """The list says everything."""
        answer = answered_by(endpoint.name, body)
        return [
            adapter_pb2.ModelDescription(model=each.name, capabilities=each.capabilities, context_window=each.context_window)
            for each in understood(endpoint.name, lambda: list(models.listed(answer)))
        ]

    def describe(self, endpoint: Endpoint, model: str) -> Call | None:
        """Nothing is left to be asked."""
        del endpoint, model
        return None

    def described(self, endpoint: Endpoint, body: bytes, description: adapter_pb2.ModelDescription) -> None:
        """It is never asked about one model."""
        del body, description
        raise unsupported(endpoint.name, "descriptions of single models")

    def failure(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
        """What an answer whose status is not 200 means."""
        return of_answer(endpoint.name, status, headers, body)
