"""The tier that served, which stands beside the usage at the top of whole answers and of chunks.

It is charged by the usage. It stays an extra of the answer as well, so that clients of the dialect read the provider's own word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh.inference.v1 import generate_pb2

_TIERS: Final[Mapping[str, generate_pb2.ServiceTier]] = {
    "default": generate_pb2.SERVICE_TIER_STANDARD,
    "standard": generate_pb2.SERVICE_TIER_STANDARD,
    "on_demand": generate_pb2.SERVICE_TIER_STANDARD,  # Groq's word
    "priority": generate_pb2.SERVICE_TIER_PRIORITY,
    "fast": generate_pb2.SERVICE_TIER_PRIORITY,
    "flex": generate_pb2.SERVICE_TIER_FLEX,
    "batch": generate_pb2.SERVICE_TIER_BATCH,
}
TIER: Final = "service_tier"


def served_tier(word: object) -> generate_pb2.ServiceTier:
    """The tier of a word. One without a price of its own here, such as `scale`, which is paid beforehand, is unspecified."""
    known = _TIERS.get(word) if isinstance(word, str) else None
    return generate_pb2.SERVICE_TIER_UNSPECIFIED if known is None else known
