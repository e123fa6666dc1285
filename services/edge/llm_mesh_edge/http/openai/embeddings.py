"""The dialect of `POST /v1/embeddings`."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_dialects.openai import embeddings
from llm_mesh_edge.domain.places import Body


class OpenAIEmbeddings:
    """`EmbeddingDialect`: vectors as numbers or as base64."""

    def read(self, body: dict[str, Any]) -> embed_pb2.EmbedInput:
        """The request."""
        return embeddings.body_to_input(body)

    def place(self, field: str, body: Body) -> str:
        """Fields of the typed request have their own names in the body."""
        del body
        return field

    def writer(self, output: embed_pb2.EmbedOutput, body: Body) -> embeddings.VectorsWriter:
        """Of the answer."""
        return embeddings.VectorsWriter(output, base64=body.get("encoding_format") == "base64")
