"""Answers of a library: OpenAI's forms, as far as the library keeps to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_kit.dialect import Events
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import malformed, reset
from llm_mesh_adapter_kit.framing import Frame
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.values import LARGE, MOST_VALUES, check_event, check_values
from llm_mesh_adapter_longtail.failures import of_complaint
from llm_mesh_dialects import openai
from llm_mesh_dialects.errors import DialectError, TruncatedError
from llm_mesh_dialects.openai.quirks import OpenAIQuirks
from llm_mesh_runtime.pace import Pace, Unpaced

T = TypeVar("T")
_DONE = b"[DONE]"


def understood(endpoint: str, translate: Callable[[], T]) -> T:
    """What an answer means; PROVIDER_MALFORMED where it has another form."""
    try:
        return translate()
    except DialectError as error:
        raise malformed(endpoint, str(error)) from None


def answered_by(endpoint: str, body: bytes) -> Any:  # noqa: ANN401 (JSON)
    """The JSON of an answer."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise malformed(endpoint, "what is not JSON") from None
    if openai.errors.is_complaint(parsed):
        raise of_complaint(endpoint, openai.errors.complaint(parsed))
    return parsed


class LibraryStream:
    """Implements `StreamReader` of the kit: one chunk in a line."""

    def __init__(self, endpoint: str, quirks: OpenAIQuirks) -> None:
        self._endpoint = endpoint
        self._chunks = openai.streams.ChunkReader(quirks)
        self.done = False

    def feed(self, arrived: Sequence[Frame], events: Events, meter: AttemptMeter) -> None:
        """Appends what the lines mean. Nothing after the last one counts."""
        for data, _ in arrived:
            if self.done or data.strip() == _DONE:
                self.done = True
                return
            check_event(self._endpoint, data)
            chunk = answered_by(self._endpoint, data)
            made = understood(self._endpoint, lambda chunk=chunk: self._chunks.feed(chunk))  # type: ignore[misc]
            events.extend(made)
            meter.saw(made)

    def finish(self) -> Sequence[generate_pb2.StreamEvent]:
        """What the end of the stream means."""
        try:
            return self._chunks.finish(said_so=self.done)
        except TruncatedError as error:
            raise reset(self._endpoint, str(error)) from None


class LibraryVectors:
    """Implements `VectorReader` of the kit."""

    def __init__(self, endpoint: Endpoint, quirks: OpenAIQuirks, items: int) -> None:
        self._endpoint = endpoint.name
        self._quirks = quirks
        self._text = openai.vectors.VectorText(endpoint.redaction.bytes_of, items)

    @property
    def dimensions(self) -> int:
        """How many numbers each vector has. 0: none has come whole."""
        return self._text.dimensions

    def feed(self, data: bytes) -> None:
        """More of the text."""
        pace = Unpaced() if len(data) <= LARGE else Pace()
        understood(self._endpoint, lambda: self._text.feed(data, pace.step))

    def finish(self) -> tuple[embed_pb2.EmbedOutput, list[bytes]]:
        """Everything but the vectors, and these in the order of the items."""
        rest = understood(self._endpoint, self._text.rest)
        check_values(self._endpoint, rest, MOST_VALUES)
        parsed = answered_by(self._endpoint, rest)
        return understood(self._endpoint, lambda: openai.embeddings.body_to_output(parsed, self._text.vectors, self._quirks))
