"""Reads the text of an answer with vectors, as it arrives."""

from __future__ import annotations

from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.values import LARGE, MOST_VALUES, check_values
from llm_mesh_adapter_openai.provider.bodies import answered_by, understood
from llm_mesh_dialects import openai
from llm_mesh_dialects.openai.quirks import OpenAIQuirks
from llm_mesh_runtime.pace import Pace, Unpaced


class OpenAIVectors:
    """`VectorReader`."""

    def __init__(self, endpoint: Endpoint, quirks: OpenAIQuirks, items: int) -> None:
        self._endpoint = endpoint
        self._quirks = quirks
        self._text = openai.vectors.VectorText(endpoint.redaction.bytes_of, items)

    @property
    def dimensions(self) -> int:
        """See the protocol."""
        return self._text.dimensions

    def feed(self, data: bytes) -> None:
        """See the protocol."""
        pace = Unpaced() if len(data) <= LARGE else Pace()
        understood(self._endpoint, lambda: self._text.feed(data, pace.step))

    def finish(self) -> tuple[embed_pb2.EmbedOutput, list[bytes]]:
        """See the protocol."""
        endpoint, text = self._endpoint, self._text
        rest = understood(endpoint, text.rest)
        check_values(endpoint.name, rest, MOST_VALUES)
        parsed = answered_by(endpoint, rest)
        return understood(endpoint, lambda: openai.embeddings.body_to_output(parsed, text.vectors, self._quirks))
