"""Usage: `inputTokens` of the dialect leaves out what the cache had a part in; the typed sum contains it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.bedrock.vocabulary import DIALECT
from llm_mesh_dialects.extras import keep
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import bounded_sum, loose_count

_SUMS: Final = frozenset({"totalTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"})
"""What other figures say already."""
_TIERS: Final[Mapping[str, generate_pb2.ServiceTier]] = {
    "default": generate_pb2.SERVICE_TIER_STANDARD,
    "priority": generate_pb2.SERVICE_TIER_PRIORITY,
    "flex": generate_pb2.SERVICE_TIER_FLEX,
}


def read_usage(owner: Fields) -> generate_pb2.Usage | None:
    """What a provider reports, with the tier that served, which stands beside it; None where it reports nothing."""
    if not isinstance(owner.peek("usage"), dict):
        owner.raw("usage")
        return None
    fields = owner.required("usage")
    cached = loose_count(fields.raw("cacheReadInputTokens")) or 0
    written = loose_count(fields.raw("cacheWriteInputTokens")) or 0
    by_lifetime = _by_lifetime(fields)
    used = generate_pb2.Usage(
        input_tokens=bounded_sum((loose_count(fields.raw("inputTokens")) or 0, cached, written)),
        output_tokens=loose_count(fields.raw("outputTokens")) or 0,
        cached_input_tokens=cached,
        cache_write_input_tokens=written,
        cache_write_5m_input_tokens=by_lifetime.get("5m", 0),
        cache_write_1h_input_tokens=by_lifetime.get("1h", 0),
        service_tier=_tier(owner),
    )
    keep(used, DIALECT, {key: value for key, value in fields.rest().items() if value is not None and key not in _SUMS})
    return used


def _by_lifetime(fields: Fields) -> dict[str, int]:
    """Cache writes by how long they live. Details that are none are left to the sum."""
    details = fields.raw("cacheDetails")
    tokens: dict[str, int] = {}
    for each in details if isinstance(details, list) else []:
        if isinstance(each, dict) and isinstance(each.get("ttl"), str):
            tokens[each["ttl"]] = bounded_sum((tokens.get(each["ttl"], 0), loose_count(each.get("inputTokens")) or 0))
    return tokens


def _tier(owner: Fields) -> generate_pb2.ServiceTier:
    """The tier that served. One without a price of its own here, such as `reserved`, goes on as an extra alone."""
    tier = owner.peek("serviceTier")
    word = tier.get("type") if isinstance(tier, dict) else None
    return _TIERS.get(word, generate_pb2.SERVICE_TIER_UNSPECIFIED) if isinstance(word, str) else generate_pb2.SERVICE_TIER_UNSPECIFIED
