"""The dialect as the kit calls it: requests and answers in the messages of the Open Inference Protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_kit.dialect import Ask, Call, StreamReader, VectorReader
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, unsupported
from llm_mesh_adapter_kit.framing import Framing
from llm_mesh_adapter_kit.rpc.framing import RPC, framed
from llm_mesh_adapter_kit.rpc.statuses import refusal_of
from llm_mesh_adapter_oip.provider import models
from llm_mesh_adapter_oip.provider.embedding import OipVectors, embed_messages
from llm_mesh_adapter_oip.provider.failures import of_status
from llm_mesh_adapter_oip.provider.methods import INFER


class OipDialect:
    """Implements `Dialect`, `Describing` and `Judging` of the kit. Servers of the protocol keep no data, and have no chats."""

    framing: Framing = RPC

    def generate(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call:
        """The protocol knows tensors and no conversations."""
        del request
        raise unsupported(ask.endpoint.name, "chats")

    def output(self, endpoint: Endpoint, body: bytes, output: generate_pb2.GenerateOutput) -> None:
        """See `generate`."""
        del body, output
        raise unsupported(endpoint.name, "chats")

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """See `generate`."""
        raise unsupported(endpoint.name, "chats")

    def embed(self, ask: Ask, request: embed_pb2.EmbedInput) -> Call:
        """The request for embeddings."""
        messages, translations = embed_messages(ask, request)
        return Call(INFER, framed(*messages), translations=translations)

    def vectors(self, endpoint: Endpoint, items: int) -> VectorReader:
        """Reads one answer with embeddings."""
        return OipVectors(endpoint, items)

    def refuses_packed(self, endpoint: Endpoint, error: AdapterError) -> bool:
        """There is one form of vectors."""
        del endpoint, error
        return False

    def count(self, ask: Ask, request: generate_pb2.GenerateInput) -> Call | None:
        """No server counts: the kit answers with an upper bound."""
        del ask, request
        return None

    def counted(self, endpoint: Endpoint, body: bytes) -> int:
        """See `count`."""
        del body
        raise unsupported(endpoint.name, "counts of tokens")

    def models(self, endpoint: Endpoint) -> Call:
        """The request for the models."""
        return models.models_call(endpoint)

    def check(self, endpoint: Endpoint) -> Call:
        """Whether the server is ready."""
        return models.check_call(endpoint)

    def judge(self, endpoint: Endpoint, body: bytes) -> None:
        """A server may answer that it is not."""
        models.judge(endpoint, body)

    def model_ids(self, endpoint: Endpoint, body: bytes) -> Sequence[str]:
        """The names of the models."""
        return [each.model for each in models.listed(endpoint, body)]

    def listed(self, endpoint: Endpoint, body: bytes) -> Sequence[adapter_pb2.ModelDescription]:
        """What the list says of each model."""
        return models.listed(endpoint, body)

    def describe(self, endpoint: Endpoint, model: str) -> Call | None:
        """The request for a model's tensors, where the list does not have them."""
        return models.describe_call(endpoint, model)

    def described(self, endpoint: Endpoint, body: bytes, description: adapter_pb2.ModelDescription) -> None:
        """Adds what a model can do."""
        models.described(endpoint, body, description)

    def failure(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
        """What a call means that failed before its first message."""
        del status
        return refusal_of(endpoint.name, headers, body, of_status)
