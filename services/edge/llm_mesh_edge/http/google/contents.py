"""The dialect of `:generateContent` and `:streamGenerateContent`, as one request speaks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.gemini import requests, responses
from llm_mesh_dialects.gemini.streams import ArrayFrames, EventFrames, GeminiChunkWriter
from llm_mesh_dialects.gemini.streams.frames import Frames
from llm_mesh_edge.domain.failures import Failure
from llm_mesh_edge.domain.headers import Headers
from llm_mesh_edge.domain.places import Body
from llm_mesh_edge.http.google.failures import shape
from llm_mesh_edge.http.google.places import place


class GenerateContent:
    """`EdgeDialect` of one request: the path names the model, and the body says whether thoughts are shown."""

    messages = "contents"
    keep_alive = b"\n"
    """An empty line. Google's SDKs take comments of server-sent events for chunks."""

    def __init__(self, model: str, *, events: bool = True) -> None:
        self._model = model
        self._events = events
        self._shows_thoughts = False

    def read(self, body: dict[str, Any], headers: Headers, into: generate_pb2.GenerateInput) -> None:
        """The request."""
        del headers
        self._shows_thoughts = requests.body_into_input(into, body, model=self._model).shows_thoughts

    def place(self, field: str, body: Body) -> str:
        """Of a part or tool."""
        return place(field, body)

    def answer_id(self, provider: str, request_id: str) -> str:
        """The provider's, where it gave one."""
        return provider or f"resp-{request_id}"

    def body(self, output: generate_pb2.GenerateOutput, request: generate_pb2.GenerateInput, number: str) -> object:
        """A whole answer."""
        del request
        return responses.output_to_body(output, id=number, shows_thoughts=self._shows_thoughts)

    def writer(self, request: generate_pb2.GenerateInput, number: str) -> GoogleAnswerWriter:
        """Of a streamed answer."""
        del request
        return GoogleAnswerWriter(GeminiChunkWriter(self.frames(), id=number, shows_thoughts=self._shows_thoughts))

    def frames(self) -> Frames:
        """How chunks stand in the body."""
        return EventFrames() if self._events else ArrayFrames()


class GoogleAnswerWriter:
    """`Writer`."""

    __slots__ = ("_chunks",)

    def __init__(self, chunks: GeminiChunkWriter) -> None:
        self._chunks = chunks

    def write(self, events: Sequence[generate_pb2.StreamEvent], size: int) -> bytes:
        """The frame of what came at once."""
        del size
        return self._chunks.write_all(events)

    def close(self, receipt: dict[str, Any]) -> bytes:
        """The receipt stands beside the candidates of the last chunk."""
        return self._chunks.close({"llm_mesh": receipt} if receipt else {})

    def failure(self, failure: Failure, headers: Headers) -> bytes:
        """The error; nothing follows."""
        return self._chunks.failure(shape(failure, headers))
