"""The endpoints that lines may go to: how the dialect of each is read and written.

The dialects translate: the service keeps a line as its owner wrote it, and its answer as the endpoint would have written it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import orjson

from llm_mesh.batches.v1 import batches_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_batches.domain.failures import FailureWords, anthropic_body, openai_body
from llm_mesh_batches.domain.ports import LineGateway
from llm_mesh_dialects.anthropic import requests as messages_requests
from llm_mesh_dialects.anthropic import responses as messages_responses
from llm_mesh_dialects.openai import embeddings
from llm_mesh_dialects.openai import requests as chat_requests
from llm_mesh_dialects.openai import responses as chat_responses
from llm_mesh_runtime.errors import invalid

Call = Mapping[str, str]
"""Metadata of a call."""
Written = Callable[[generate_pb2.GenerateOutput], object]
"""Writes an answer in a dialect."""


class LineAnswer(Protocol):
    """An answer of the gateway to one line."""

    receipt: gateway_pb2.Receipt
    usage: generate_pb2.Usage
    size: int
    """Bytes on the wire: how long it takes to write it."""

    def body(self) -> bytes:
        """As JSON in the endpoint's dialect. Raises `DialectError`."""


class LineRequest(Protocol):
    """A line, read."""

    async def ask(self, gateway: LineGateway, call: Call) -> LineAnswer:
        """The gateway's answer. Raises `MeshError`."""


class BatchLineEndpoint(Protocol):
    """Reads the lines of one endpoint's dialect, and writes what is told of them."""

    url: str

    def read(self, body: bytes, key: str, number: str) -> LineRequest:
        """The line, to be asked under an idempotency key; `number` is the id of an answer without one. Raises `DialectError`."""

    def failure(self, failure: FailureWords) -> object:
        """The body of an error."""


def _object(body: bytes) -> dict[str, Any]:
    """The body of a line, which was a JSON object when it was taken. INVALID_FIELD for what no batch can answer."""
    value: dict[str, Any] = orjson.loads(body)
    for key, expected in (("stream", "streams cannot be answered in a batch"), ("llm_mesh", "not possible in a batch")):
        if value.get(key):
            raise invalid(key, expected)
    value.pop("stream", None)
    return value


class ChatLines:
    """OpenAI's chat completions."""

    url = "/v1/chat/completions"

    def read(self, body: bytes, key: str, number: str) -> LineRequest:
        """A conversation, whose answer is whole."""
        request = gateway_pb2.GenerateRequest()
        chat_requests.chat_into_input(request.input, _object(body))
        request.options.idempotency_key = key
        return _ConversationLine(
            request, lambda output: chat_responses.output_to_chat(output, id="" if output.id else f"chatcmpl-{number}")
        )

    def failure(self, failure: FailureWords) -> object:
        """In OpenAI's shape."""
        return openai_body(failure)


class MessageLines:
    """Anthropic's messages."""

    url = "/v1/messages"

    def read(self, body: bytes, key: str, number: str) -> LineRequest:
        """A conversation, whose answer is whole."""
        request = gateway_pb2.GenerateRequest()
        messages_requests.messages_into_input(request.input, _object(body))
        request.options.idempotency_key = key
        return _ConversationLine(
            request, lambda output: messages_responses.output_to_message(output, id="" if output.id else f"msg_{number}")
        )

    def failure(self, failure: FailureWords) -> object:
        """In Anthropic's shape."""
        return anthropic_body(failure)


class EmbeddingLines:
    """OpenAI's embeddings."""

    url = "/v1/embeddings"

    def read(self, body: bytes, key: str, number: str) -> LineRequest:
        """Texts, whose vectors come at once."""
        del number
        value = _object(body)
        request = gateway_pb2.EmbedRequest(input=embeddings.body_to_input(value))
        request.options.idempotency_key = key
        return _TextsLine(request, base64=value.get("encoding_format") == "base64")

    def failure(self, failure: FailureWords) -> object:
        """In OpenAI's shape."""
        return openai_body(failure)


class _ConversationLine:
    def __init__(self, request: gateway_pb2.GenerateRequest, write: Written) -> None:
        self._request = request
        self._write = write

    async def ask(self, gateway: LineGateway, call: Call) -> LineAnswer:
        return _ConversationAnswer(await gateway.generate(self._request, call), self._write)


class _ConversationAnswer:
    def __init__(self, answer: gateway_pb2.GenerateResponse, write: Written) -> None:
        self._answer = answer
        self._write = write
        self.receipt, self.usage, self.size = answer.receipt, answer.output.usage, answer.ByteSize()

    def body(self) -> bytes:
        return orjson.dumps(self._write(self._answer.output))


class _TextsLine:
    def __init__(self, request: gateway_pb2.EmbedRequest, *, base64: bool) -> None:
        self._request = request
        self._base64 = base64

    async def ask(self, gateway: LineGateway, call: Call) -> LineAnswer:
        return _VectorsAnswer(await gateway.embed(self._request, call), base64=self._base64)


class _VectorsAnswer:
    def __init__(self, answer: gateway_pb2.EmbedResponse, *, base64: bool) -> None:
        self._output = answer.output
        self._base64 = base64
        self.receipt, self.usage, self.size = answer.receipt, answer.output.usage, answer.ByteSize()

    def body(self) -> bytes:
        return orjson.dumps(embeddings.output_to_body(self._output, base64=self._base64))


ENDPOINTS: Mapping[int, BatchLineEndpoint] = MappingProxyType(
    {
        batches_pb2.BATCH_ENDPOINT_CHAT_COMPLETIONS: ChatLines(),
        batches_pb2.BATCH_ENDPOINT_EMBEDDINGS: EmbeddingLines(),
        batches_pb2.BATCH_ENDPOINT_MESSAGES: MessageLines(),
    }
)
