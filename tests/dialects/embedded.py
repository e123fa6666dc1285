"""A whole answer with vectors, as the adapter reads it: its text in pieces."""

from __future__ import annotations

import array
from collections.abc import Iterable
from typing import Any

import orjson

from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_dialects import openai


def embedded_pieces(pieces: Iterable[bytes], items: int) -> tuple[embed_pb2.EmbedOutput, list[list[float]]]:
    """Everything but the vectors, and these."""
    text = openai.vectors.VectorText(lambda said: said, items)
    for piece in pieces:
        text.feed(piece, lambda: None)
    output, vectors = openai.embeddings.body_to_output(orjson.loads(text.rest()), text.vectors)
    return output, [array.array("f", vector).tolist() for vector in vectors]


def embedded(body: dict[str, Any]) -> embed_pb2.EmbedOutput:
    """All of it in one message."""
    output, vectors = embedded_pieces([orjson.dumps(body)], len(body["data"]))
    output.embeddings.extend(embed_pb2.Embedding(index=index, values=vector) for index, vector in enumerate(vectors))
    return output
