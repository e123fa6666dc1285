"""The dialect of `POST /v1/messages`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.anthropic import requests, responses, streams
from llm_mesh_edge.domain.failures import Failure, spoken
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.domain.places import Body
from llm_mesh_edge.http.anthropic.betas import with_betas
from llm_mesh_edge.http.anthropic.failures import extras_of, param_of, type_of
from llm_mesh_edge.http.anthropic.places import place


class Messages:
    """`Dialect`."""

    messages = "messages"
    keep_alive = b'event: ping\ndata: {"type":"ping"}\n\n'

    def read(self, body: dict[str, Any], headers: Headers, into: generate_pb2.GenerateInput) -> None:
        """The request."""
        requests.messages_into_input(into, with_betas(body, headers))

    def place(self, field: str, body: Body) -> str:
        """Of a part of a message."""
        return place(field, body)

    def answer_id(self, provider: str, request_id: str) -> str:
        """The provider's, where it gave one."""
        return provider or f"msg_{request_id}"

    def body(self, output: generate_pb2.GenerateOutput, request: generate_pb2.GenerateInput, number: str) -> object:
        """A whole answer."""
        del request
        return responses.output_to_message(output, id=number)

    def writer(self, request: generate_pb2.GenerateInput, number: str) -> AnthropicAnswerWriter:
        """Of a streamed answer."""
        del request
        return AnthropicAnswerWriter(number)


class AnthropicAnswerWriter:
    """`Writer`."""

    __slots__ = ("_events",)

    def __init__(self, number: str) -> None:
        self._events = streams.EventWriter(id=number)

    def write(self, events: Sequence[generate_pb2.StreamEvent], size: int) -> bytes:
        """The frames of what came at once."""
        del size
        return b"".join(map(self._events.write, events[:]))

    def close(self, receipt: dict[str, Any]) -> bytes:
        """The receipt stands in the usage, which the dialect always has."""
        return self._events.close({"llm_mesh": receipt} if receipt else {})

    def failure(self, failure: Failure, headers: Headers) -> bytes:
        """The error; `message_stop` does not follow."""
        return self._events.failure(
            spoken(failure, param_of(failure)), type=type_of(failure), request_id=headers.request_id, extras=extras_of(failure)
        )
