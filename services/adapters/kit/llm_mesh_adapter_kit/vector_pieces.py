"""Vectors into messages, as the wire carries them: 32-bit numbers, little-endian. A list would make each a float first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_runtime.delimited import before

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

_VALUES: Final = embed_pb2.Embedding.VALUES_FIELD_NUMBER


def pieces_of(vectors: Sequence[bytes], size: int) -> list[tuple[int, Sequence[bytes]]]:
    """The vectors in pieces of at most about that size, one vector at least, each with the index of its first."""
    each = max(1, size // max(1, len(vectors[0]))) if vectors else 1
    return [(first, vectors[first : first + each]) for first in range(0, len(vectors), each)]


def put_vectors(embeddings: RepeatedCompositeFieldContainer[embed_pb2.Embedding], vectors: Iterable[bytes], first: int) -> None:
    """Adds vectors, of which the first has the index `first`."""
    for index, vector in enumerate(vectors, first):
        embeddings.add(index=index).MergeFromString(before(_VALUES, len(vector)) + vector)
