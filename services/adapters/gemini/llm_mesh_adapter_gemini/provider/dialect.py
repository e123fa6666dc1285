"""The dialect as the kit calls it: requests, answers, counts, vectors and lists of models, at the Gemini API and at Vertex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_gemini.provider.bodies import allowance_at, answered_by, translated, understood
from llm_mesh_adapter_gemini.provider.descriptions import description_of
from llm_mesh_adapter_gemini.provider.failures import of_answer, of_block
from llm_mesh_adapter_gemini.provider.rows import Api
from llm_mesh_adapter_gemini.provider.stream import ChunkStream
from llm_mesh_adapter_gemini.provider.vectors import GeminiVectors
from llm_mesh_adapter_kit.dialect import Ask, Call, StreamReader, VectorReader
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.framing import Framing
from llm_mesh_adapter_kit.json_array import EVENTS_OR_ARRAY
from llm_mesh_adapter_kit.model_paths import in_path
from llm_mesh_dialects.extras import dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.gemini import DIALECT, embeddings, requests, responses
from llm_mesh_dialects.gemini.quirks import of_model
from llm_mesh_dialects.proofs import ProofOrigin

_VERTEX: Final = "vertex"
_WHOLE_NAMES: Final[Mapping[Api, tuple[str, ...]]] = {
    "gemini": ("models/", "tunedModels/"),
    "vertex": ("publishers/", "endpoints/", "projects/"),
}
"""How names begin that say by themselves where a model is."""
_MODELS: Final[Mapping[Api, str]] = {"gemini": "/models/", "vertex": "/publishers/google/models/"}
_OWN_EMBEDDERS: Final = ("gemini", "maas")
"""Models whose vectors Vertex makes by `:embedContent`; those of the others by `:predict`."""


class GeminiDialect:
    """Implements `Dialect` and `Describing` of the kit. `apis` says which of both APIs an endpoint has, by its name."""

    framing: Framing = EVENTS_OR_ARRAY

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self._apis = apis

    def generate(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
        """The request for an answer."""
        origin = ProofOrigin(DIALECT, ask.proof_key, ask.endpoint.name, ask.endpoint.base_url, ask.credential, ask.model)
        write = partial(
            requests.input_to_body,
            request,
            of_model(ask.model),
            origin=origin,
            max_output_tokens=ask.max_output_tokens,
            zero_retention=ask.zero_retention and not self._at_vertex(ask.endpoint),
            allowance=allowance_at(ask.endpoint),
        )
        body, translations, names = translated(write)
        path = self._path(ask, "streamGenerateContent?alt=sse" if ask.stream else "generateContent")
        return Call(path, dumped(body), translations=translations, tool_names=names, proof_mark=origin.marked)

    def output(self, endpoint: Endpoint, body: bytes, output: generate_pb2.GenerateOutput) -> None:
        """A whole answer."""
        answer = answered_by(endpoint, body)
        if why := responses.block_of(answer):
            raise of_block(endpoint.name, why)
        understood(endpoint, lambda: responses.body_into_output(output, answer))

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """Reads one stream."""
        return ChunkStream(endpoint.name)

    def embed(self, ask: Ask, request: embed_pb2.EmbedInput) -> Call:
        """The request for vectors."""
        allowance = allowance_at(ask.endpoint)
        if not self._at_vertex(ask.endpoint):
            write = partial(embeddings.input_to_batch, request, model=ask.model, allowance=allowance)
            method = "batchEmbedContents"
        elif any(word in ask.model for word in _OWN_EMBEDDERS):
            write = partial(embeddings.input_to_contents, request, allowance=allowance)
            method = "embedContent" if len(request.items) == 1 else "batchEmbedContents"
        else:
            write, method = partial(embeddings.input_to_predict, request, allowance=allowance), "predict"
        body, translations = translated(write)
        return Call(self._path(ask, method), dumped(body), translations=translations)

    def vectors(self, endpoint: Endpoint, items: int) -> VectorReader:
        """Reads one answer with vectors."""
        return GeminiVectors(endpoint, items)

    def refuses_packed(self, endpoint: Endpoint, error: AdapterError) -> bool:
        """The dialect has one form of vectors."""
        del endpoint, error
        return False

    def count(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
        """The request for a count."""
        model = "" if self._at_vertex(ask.endpoint) else ask.model
        write = partial(requests.input_to_count, request, of_model(ask.model), model=model, allowance=allowance_at(ask.endpoint))
        return Call(self._path(ask, "countTokens"), dumped(translated(write)))

    def counted(self, endpoint: Endpoint, body: bytes) -> int:
        """The number of tokens in an answer to `countTokens`."""
        answer = Fields(answered_by(endpoint, body))
        return understood(endpoint, lambda: answer.whole("totalTokens", 0) or 0)

    def models(self, endpoint: Endpoint) -> Call:
        """The request for models; the longest page holds them all."""
        return self._listed(endpoint, 1_000)

    def check(self, endpoint: Endpoint) -> Call:
        """The provider's models, of which one is enough."""
        return self._listed(endpoint, 1)

    def model_ids(self, endpoint: Endpoint, body: bytes) -> Sequence[str]:
        """The ids of a list of models."""
        answer = Fields(answered_by(endpoint, body))
        key = "publisherModels" if self._at_vertex(endpoint) else "models"
        return understood(endpoint, lambda: [each.required_text("name").rpartition("/")[2] for each in answer.each(key)])

    def listed(self, endpoint: Endpoint, body: bytes) -> Sequence[adapter_pb2.ModelDescription]:
        """What a list of the Gemini API says of each model; Vertex' says only names."""
        answer = Fields(answered_by(endpoint, body))
        if self._at_vertex(endpoint):
            return [adapter_pb2.ModelDescription(model=model) for model in self.model_ids(endpoint, body)]
        return understood(endpoint, lambda: [description_of(each) for each in answer.each("models")])

    def describe(self, endpoint: Endpoint, model: str) -> None:
        """The list has everything."""
        del endpoint, model

    def described(self, endpoint: Endpoint, body: bytes, description: adapter_pb2.ModelDescription) -> None:
        """It is never asked about one model."""
        del endpoint, body, description

    def failure(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
        """What an answer whose status is not 200 means."""
        return of_answer(endpoint.name, status, headers, body)

    def _at_vertex(self, endpoint: Endpoint) -> bool:
        return self._apis.get(endpoint.name) == _VERTEX

    def _path(self, ask: Ask, method: str) -> str:
        api = self._apis.get(ask.endpoint.name, "gemini")
        begin = "/" if ask.model.startswith(_WHOLE_NAMES[api]) else _MODELS[api]
        return f"{begin}{in_path(ask.model, safe='/:@')}:{method}"

    def _listed(self, endpoint: Endpoint, most: int) -> Call:
        if not self._at_vertex(endpoint):
            return Call(f"/models?pageSize={most}", method="GET")
        version = endpoint.base_url.removeprefix(endpoint.origin).strip("/").partition("/")[0]  # the list is not below the project
        return Call(f"/{version}/publishers/google/models?pageSize={min(most, 300)}", method="GET", at_origin=True)
