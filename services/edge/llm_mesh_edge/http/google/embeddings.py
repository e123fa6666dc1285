"""The dialect of `:embedContent` and `:batchEmbedContents`, as one request speaks it."""

from __future__ import annotations

import re
from typing import Any

from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_dialects.gemini import embedding_requests
from llm_mesh_dialects.gemini.spelling import spelled
from llm_mesh_edge.domain.places import Body

_ITEM = re.compile(r"^input\.items(?:\[(\d+)\])?")
_TEXT = "content.parts[0].text"


class GoogleEmbeddings:
    """`EmbeddingDialect`: the path names the model, and whether there is one text or several."""

    def __init__(self, model: str, *, single: bool) -> None:
        self._model = model
        self._single = single

    def read(self, body: dict[str, Any]) -> embed_pb2.EmbedInput:
        """The request."""
        read = embedding_requests.single_to_input if self._single else embedding_requests.batch_to_input
        return read(body, model=self._model)

    def place(self, field: str, body: Body) -> str:
        """Of a text, or of what is asked of all vectors."""
        item = _ITEM.match(field)
        if item is not None:
            own = f"requests[{item[1]}].{_TEXT}" if item[1] else "requests"
            return spelled(_TEXT if self._single else own, body)
        if field == "input.dimensions":
            return spelled("outputDimensionality" if self._single else "requests[0].outputDimensionality", body)
        return field

    def writer(self, output: embed_pb2.EmbedOutput, body: Body) -> embedding_requests.GeminiVectorsWriter:
        """Of the answer."""
        del body
        return embedding_requests.GeminiVectorsWriter(output, single=self._single)
