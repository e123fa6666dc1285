"""The dialect of `POST /v1/responses`."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any, Final

import orjson

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.responses import (
    ResponseFacts,
    ResponseWriter,
    body_into_input,
    events_of,
)
from llm_mesh_edge.domain.failures import Failure, spoken
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.domain.places import Body
from llm_mesh_edge.http.openai.failures import code_of, extras_of
from llm_mesh_edge.http.responses.failures import param_of
from llm_mesh_edge.http.responses.places import place

_PREFIX: Final = "resp_"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]")
_STORED: Final = {
    "store": "responses are not kept over HTTP: expected false, or nothing",
    "background": "responses are not kept over HTTP, so that none could be fetched later: expected false, or nothing",
    "previous_response_id": "responses are not kept over HTTP: send the whole conversation in `input`",
    "conversation": "conversations are not kept over HTTP: send the whole conversation in `input`",
}
"""What needs responses that are kept."""


class ResponsesDialect:
    """`EdgeDialect`."""

    messages = "input"
    keep_alive = b": keep-alive\n\n"

    def read(self, body: dict[str, Any], headers: Headers, into: generate_pb2.GenerateInput) -> None:
        """The request."""
        del headers
        for key in ("store", "background"):
            if not isinstance(body.get(key, False), bool | None):
                raise DialectError(key, "expected true or false")
        for key, why in _STORED.items():
            if body.get(key) not in (None, False):
                raise DialectError(key, why)
        body_into_input(into, body)

    def place(self, field: str, body: Body) -> str:
        """Of a part of an item."""
        return place(field, body)

    def answer_id(self, provider: str, request_id: str) -> str:
        """The provider's, where it is one of the dialect."""
        return provider if provider.startswith(_PREFIX) else _PREFIX + _UNSAFE.sub("_", request_id)

    def body(self, output: generate_pb2.GenerateOutput, request: generate_pb2.GenerateInput, number: str) -> object:
        """A whole answer."""
        writer = ResponseWriter(request, ResponseFacts(number, int(time.time())))
        writer.write(events_of(output))
        writer.close({})
        return writer.response

    def writer(self, request: generate_pb2.GenerateInput, number: str) -> ResponseFramesWriter:
        """Of a streamed answer."""
        return ResponseFramesWriter(request, number)


class ResponseFramesWriter:
    """`Writer`."""

    __slots__ = ("_response",)

    def __init__(self, request: generate_pb2.GenerateInput, number: str) -> None:
        self._response = ResponseWriter(request, ResponseFacts(number, int(time.time())))

    def write(self, events: Sequence[generate_pb2.StreamEvent], size: int) -> bytes:
        """The frames of what came at once."""
        del size
        return _frames(self._response.write(events[:]))

    def close(self, receipt: dict[str, Any]) -> bytes:
        """The receipt stands in the response of the last event. `[DONE]` does not follow: OpenAI sends none here."""
        return _frames(self._response.close({"llm_mesh": receipt} if receipt else {}))

    def failure(self, failure: Failure, headers: Headers) -> bytes:
        """The response has failed."""
        del headers
        return _frames(self._response.fail(code_of(failure), spoken(failure, param_of(failure) or ""), extras_of(failure)))


def _frames(events: Sequence[dict[str, Any]]) -> bytes:
    """As server-sent events."""
    return b"".join([b"event: %b\ndata: %b\n\n" % (each["type"].encode(), orjson.dumps(each)) for each in events])
