"""What an endpoint's setting says of its server's tensors beside where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from llm_mesh_adapter_kit.endpoints import Endpoint

TEXTS: Final = ("n", "n,1", "1,n")
"""Shapes that several texts may have, where `n` is their number."""
QUERIES: Final = ("1", "1,1", "n", "n,1")
"""Shapes that a query may have; with `n` it is repeated for each document."""
NUMBERS: Final = ("FP16", "BF16", "FP32", "FP64")
MOST_TEXTS: Final = 10_000
"""Of one call."""
_BATCH: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedTensors:
    """The tensors of a model that embeds texts."""

    input: str = "text"
    """Name of the texts, BYTES."""
    shape: str = "n"
    """Of the texts."""
    output: str = "embedding"
    """Name of the vectors, [n,d]."""
    datatype: str = ""
    """That the vectors must have. Empty: any of `NUMBERS`."""
    batch: int = _BATCH
    """Most texts of one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankTensors:
    """The tensors of a model that orders documents."""

    query: str = "query"
    """Name of the query, BYTES."""
    query_shape: str = "1"
    documents: str = "documents"
    """Name of the documents, BYTES."""
    documents_shape: str = "n"
    output: str = "scores"
    """Name of the scores, [n], [n,1] or [1,n]."""
    datatype: str = ""
    """That the scores must have. Empty: any of `NUMBERS`."""
    batch: int = _BATCH
    """Most documents of one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OipOptions:
    """The server behind one endpoint."""

    models: tuple[str, ...] = ()
    """Whose readiness counts, and that are discovered. Empty: the whole server's, and what its repository lists."""
    raw: bool = True
    """Texts are sent as raw bytes, as Triton's own client does; false: as typed contents."""
    embed: EmbedTensors = EmbedTensors()
    rerank: RerankTensors = RerankTensors()


@dataclass(frozen=True, slots=True, kw_only=True)
class OipEndpoint(Endpoint):
    """An endpoint, and the server behind it."""

    options: OipOptions = OipOptions()


def options_of(endpoint: Endpoint) -> OipOptions:
    """The server behind an endpoint."""
    return endpoint.options if isinstance(endpoint, OipEndpoint) else OipOptions()


def shaped(shape: str, count: int) -> list[int]:
    """A shape of so many texts, in numbers."""
    return [count if each == "n" else 1 for each in shape.split(",")]


def places(total: int, batch: int) -> range:
    """Where the calls for so many texts begin."""
    return range(0, total, batch)
