"""Deterministic unit vectors in which texts that share words lie near each other, so that retrieval can be tried out."""

import math
from collections.abc import Iterable, Sequence
from hashlib import shake_128

from llm_mesh_simulator.domain import tokens

DEFAULT_DIMENSIONS = 256
MAX_DIMENSIONS = 4096
_HITS = 8


def embed(text: str, dimensions: int = DEFAULT_DIMENSIONS) -> list[float]:
    """The unit vector of a text: the normalised sum of a few signed axes per word."""
    return _embed((token.strip().lower() for token in tokens.split(text)), dimensions)


def embed_tokens(ids: Sequence[int], dimensions: int = DEFAULT_DIMENSIONS) -> list[float]:
    """The unit vector of an input that the client has already made into token numbers."""
    return _embed((f"#{number}" for number in ids), dimensions)


def _embed(features: Iterable[str], dimensions: int) -> list[float]:
    vector = [0.0] * dimensions
    for feature in features:
        if feature:
            raw = shake_128(feature.encode("utf-8", "surrogatepass")).digest(_HITS * 3)
            for start in range(0, len(raw), 3):
                vector[int.from_bytes(raw[start : start + 2], "big") % dimensions] += 1.0 if raw[start + 2] & 1 else -1.0
    norm = math.sqrt(sum(value * value for value in vector))
    if not norm:
        vector[0] = norm = 1.0
    return [value / norm for value in vector]
