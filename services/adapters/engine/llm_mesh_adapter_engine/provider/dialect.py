"""The dialect as the kit calls it: requests and answers in the messages of an engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

from llm_mesh.adapter.v1 import adapter_pb2, errors_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_engine.provider.failures import of_status
from llm_mesh_adapter_engine.provider.models import EngineModels
from llm_mesh_adapter_engine.provider.requests import RequestWriter
from llm_mesh_adapter_engine.provider.stream import EngineStream
from llm_mesh_adapter_engine.provider.vectors import EngineVectors
from llm_mesh_adapter_engine.provider.wire.values import ModelFacts
from llm_mesh_adapter_kit.dialect import Ask, Call, Compute, StreamReader, VectorReader
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, Said, answered, malformed, unsupported
from llm_mesh_adapter_kit.framing import Framing
from llm_mesh_adapter_kit.rpc.framing import RPC, framed
from llm_mesh_adapter_kit.rpc.statuses import only_message, refusal_of

_EMPTY: Final = framed(b"")
_ANSWERS: Final = ("generate", "streaming", "json_schema", "json_object", "logprobs", "multiple_candidates")


class EngineDialect:
    """Implements `Dialect`, `Describing`, `Tokenizing` and `Judging` of the kit. An engine keeps no data."""

    framing: Framing = RPC

    def __init__(self, models: EngineModels) -> None:
        self._models = models
        self._writer = RequestWriter(models, models.confined.templates)

    async def prepare(self, endpoint: Endpoint, fetch: Callable[[Call], Awaitable[bytes]]) -> None:
        """Learns the endpoint's model."""
        await self._models.learn(endpoint, fetch)

    async def tokens(self, ask: Ask, request: generate_pb2.GenerateInput, compute: Compute) -> int:
        """How many tokens the prompt of a request has."""
        return await self._writer.tokens(ask, request, compute)

    def generate(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
        """A chat template has to run first: `write` does that."""
        del request
        raise unsupported(ask.endpoint.name, "requests that are written without its tokenizer")

    async def write(self, ask: Ask, request: generate_pb2.GenerateInput, compute: Compute) -> Call:
        """The request for an answer."""
        made = await self._writer.generate(ask, request, compute)
        return Call(
            self._path(ask.endpoint, "Generate"),
            framed(made.message),
            translations=made.translations,
            reader=partial(EngineStream, made.context),
        )

    def output(self, endpoint: Endpoint, body: bytes, output: generate_pb2.GenerateOutput) -> None:
        """Whole answers have the frames of streamed ones, which is how the kit reads them."""
        del body, output
        raise malformed(endpoint.name, "it is no answer of gRPC")

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """Each request brings its own reader."""
        raise unsupported(endpoint.name, "answers apart from their requests")

    def embed(self, ask: Ask, request: embed_pb2.EmbedInput) -> Call:
        """The request for embeddings: one message for each item."""
        messages, translations = self._writer.embed(ask, request)
        return Call(self._path(ask.endpoint, "Embed"), framed(*messages), translations=translations)

    def vectors(self, endpoint: Endpoint, items: int) -> VectorReader:
        """Reads one answer with embeddings."""
        del items
        return EngineVectors(endpoint, self._models.wire(endpoint), self._models.of(endpoint).facts.served)

    def refuses_packed(self, endpoint: Endpoint, error: AdapterError) -> bool:
        """There is one form of vectors."""
        del endpoint, error
        return False

    def count(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call | None:
        """The adapter counts by itself."""
        del ask, request
        return None

    def counted(self, endpoint: Endpoint, body: bytes) -> int:
        """No engine counts."""
        del body
        raise unsupported(endpoint.name, "counts of tokens")

    def models(self, endpoint: Endpoint) -> Call:
        """The request about the one model that an engine has."""
        return Call(self._path(endpoint, "GetModelInfo"), _EMPTY)

    def check(self, endpoint: Endpoint) -> Call:
        """Whether the engine is well."""
        return Call(self._path(endpoint, "HealthCheck"), _EMPTY)

    def judge(self, endpoint: Endpoint, body: bytes) -> None:
        """An engine may answer that it is not."""
        message = only_message(endpoint.name, body, of_status)
        try:
            wrong = self._models.wire(endpoint).healthy(message)
        except ValueError as error:
            raise malformed(endpoint.name, str(error)) from None
        if wrong:
            raise answered(errors_pb2.ERROR_REASON_PROVIDER_ERROR, endpoint.name, status=0, said=Said(wrong))

    def model_ids(self, endpoint: Endpoint, body: bytes) -> Sequence[str]:
        """The name by which the engine serves its model."""
        return [self._facts(endpoint, body).served]

    def listed(self, endpoint: Endpoint, body: bytes) -> Sequence[adapter_pb2.ModelDescription]:
        """What the model can do at this endpoint."""
        facts = self._facts(endpoint, body)
        options = self._models.options(endpoint)
        more = [name for name, has in (("tools", options.tool_parser), ("reasoning", options.reasoning_parser)) if has]
        lacks = self._models.wire(endpoint).lacks
        capabilities = [*_ANSWERS, *(["seed"] if "seed" not in lacks else []), *more] if facts.generates else ["embeddings"]
        return [adapter_pb2.ModelDescription(model=facts.served, capabilities=capabilities, context_window=facts.context_window)]

    def describe(self, endpoint: Endpoint, model: str) -> Call | None:
        """The list says everything."""
        del endpoint, model
        return None

    def described(self, endpoint: Endpoint, body: bytes, description: adapter_pb2.ModelDescription) -> None:
        """There is one model."""
        del body, description
        raise unsupported(endpoint.name, "descriptions of single models")

    def failure(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
        """What a call means that failed before its first message."""
        del status
        return refusal_of(endpoint.name, headers, body, of_status)

    def abandoned(self, endpoint: Endpoint, path: str, message: bytes) -> tuple[str, bytes] | None:
        """The call that tells an engine to stop at a request that is read no more."""
        wire = self._models.wire(endpoint)
        abort = wire.abandoned(path.rpartition("/")[2], message)
        return None if abort is None else (f"/{wire.service}/Abort", abort)

    def _path(self, endpoint: Endpoint, method: str) -> str:
        return f"/{self._models.wire(endpoint).service}/{method}"

    def _facts(self, endpoint: Endpoint, body: bytes) -> ModelFacts:
        message = only_message(endpoint.name, body, of_status)
        try:
            return self._models.wire(endpoint).facts(message)
        except ValueError as error:
            raise malformed(endpoint.name, str(error)) from None
