"""Reads the text of an answer with vectors, as it arrives."""

from __future__ import annotations

from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_adapter_cohere.provider.bodies import answered_by, understood
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.values import LARGE, MOST_VALUES, check_values
from llm_mesh_dialects.cohere import embeddings
from llm_mesh_dialects.vector_lists import VectorLists
from llm_mesh_runtime.pace import Pace, Unpaced


class CohereVectors:
    """Implements `VectorReader` of the kit."""

    def __init__(self, endpoint: Endpoint, items: int) -> None:
        self._endpoint = endpoint.name
        self._text = VectorLists(endpoint.redaction.bytes_of, items, embeddings.LISTS)

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
        answer = answered_by(self._endpoint, rest)
        return understood(self._endpoint, lambda: embeddings.embed_to_output(answer, self._text.vectors))
