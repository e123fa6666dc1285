"""Reads the text of an answer with vectors, as it arrives."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_adapter_gemini.provider.bodies import answered_by, understood
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.values import LARGE, MOST_VALUES, check_values
from llm_mesh_dialects.gemini import embeddings
from llm_mesh_dialects.openai.vectors import VectorText
from llm_mesh_runtime.pace import Pace, Unpaced


class GeminiVectors:
    """`VectorReader`."""

    def __init__(self, endpoint: Endpoint, items: int) -> None:
        self._endpoint = endpoint
        self._text = VectorText(endpoint.redaction.bytes_of, items, key="values", items="embeddings")

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
        endpoint = self._endpoint
        rest = understood(endpoint, self._text.rest)
        check_values(endpoint.name, rest, MOST_VALUES)
        body: dict[str, Any] = answered_by(endpoint, rest)
        return understood(endpoint, lambda: embeddings.body_to_output(body, self._text.vectors))
