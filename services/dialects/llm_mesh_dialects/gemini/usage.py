"""Usage, between the dialect and the typed payload.

Thoughts are no part of the dialect's candidates, nor are the results of the provider's own tools of its prompt; the typed sums contain
them. What the cache had a part in, the dialect's prompt contains, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.gemini.vocabulary import DIALECT
from llm_mesh_dialects.loose import bounded_sum, loose_count

_AUDIO, _IMAGE = "AUDIO", "IMAGE"
_TIERS: Final[Mapping[str, generate_pb2.ServiceTier]] = {
    "ON_DEMAND": generate_pb2.SERVICE_TIER_STANDARD,
    "ON_DEMAND_PRIORITY": generate_pb2.SERVICE_TIER_PRIORITY,
    "ON_DEMAND_FLEX": generate_pb2.SERVICE_TIER_FLEX,
    "STANDARD": generate_pb2.SERVICE_TIER_STANDARD,
    "PRIORITY": generate_pb2.SERVICE_TIER_PRIORITY,
    "FLEX": generate_pb2.SERVICE_TIER_FLEX,
}
"""Which tier served, in Vertex' words (`trafficType`) and in the Gemini API's (`serviceTier`). Others stay as they are, in the extras."""


_TRAFFIC: Final[Mapping[generate_pb2.ServiceTier, str]] = {
    generate_pb2.SERVICE_TIER_STANDARD: "ON_DEMAND",
    generate_pb2.SERVICE_TIER_PRIORITY: "ON_DEMAND_PRIORITY",
    generate_pb2.SERVICE_TIER_FLEX: "ON_DEMAND_FLEX",
}
"""The tier that served, for clients."""


def read_usage(fields: Fields) -> generate_pb2.Usage:
    """What a provider reports. The figures of a stream are sums of all of it so far."""
    thoughts = _count(fields, "thoughtsTokenCount")
    used = generate_pb2.Usage(
        input_tokens=bounded_sum(_count(fields, key) for key in ("promptTokenCount", "toolUsePromptTokenCount")),
        output_tokens=bounded_sum((_count(fields, "candidatesTokenCount"), thoughts)),
        cached_input_tokens=_count(fields, "cachedContentTokenCount"),
        reasoning_output_tokens=thoughts,
        audio_input_tokens=_of(_AUDIO, fields.peek("promptTokensDetails")),
        audio_output_tokens=_of(_AUDIO, fields.peek("candidatesTokensDetails")),
        image_input_tokens=_of(_IMAGE, fields.peek("promptTokensDetails")),
        image_output_tokens=_of(_IMAGE, fields.peek("candidatesTokensDetails")),
    )
    for key in ("trafficType", "serviceTier"):
        word = fields.peek(key)
        if isinstance(word, str) and word.upper() in _TIERS:
            fields.raw(key)
            used.service_tier = _TIERS[word.upper()]
    fields.raw("totalTokenCount")
    used.extras.extend(as_extras(DIALECT, {key: value for key, value in fields.rest().items() if value is not None}))
    return used


def write_usage(usage: generate_pb2.Usage) -> dict[str, Any]:
    """The dialect's figures of an answer."""
    thoughts = usage.reasoning_output_tokens
    written: dict[str, Any] = {
        "promptTokenCount": usage.input_tokens,
        "candidatesTokenCount": max(0, usage.output_tokens - thoughts),
        "totalTokenCount": usage.input_tokens + usage.output_tokens,
    }
    if thoughts:
        written["thoughtsTokenCount"] = thoughts
    if usage.cached_input_tokens:
        written["cachedContentTokenCount"] = usage.cached_input_tokens
    if usage.service_tier in _TRAFFIC:
        written["trafficType"] = _TRAFFIC[usage.service_tier]
    put_back(written, usage.extras, DIALECT)
    for key, audio, images, sum_of in (
        ("promptTokensDetails", usage.audio_input_tokens, usage.image_input_tokens, usage.input_tokens),
        ("candidatesTokensDetails", usage.audio_output_tokens, usage.image_output_tokens, usage.output_tokens - thoughts),
    ):
        if (audio or images) and key not in written:
            written[key] = _by_modality(audio, images, sum_of)
    return written


def _by_modality(audio: int, images: int, sum_of: int) -> list[dict[str, Any]]:
    counts = {"TEXT": sum_of - audio - images, _AUDIO: audio, _IMAGE: images}
    return [{"modality": modality, "tokenCount": count} for modality, count in counts.items() if count > 0]


def usage_in(answer: Fields) -> generate_pb2.Usage | None:
    """The usage of an answer, or of a frame of one; None where it says nothing of it."""
    if not isinstance(answer.peek("usageMetadata"), dict):
        answer.raw("usageMetadata")
        return None
    return read_usage(Fields(answer.raw("usageMetadata"), "usageMetadata"))


def _count(fields: Fields, key: str) -> int:
    return loose_count(fields.raw(key)) or 0


def _of(kind: str, details: Any) -> int:  # noqa: ANN401 (JSON)
    """The tokens of one modality among those of all."""
    if not isinstance(details, list):
        return 0
    own = (each for each in details if isinstance(each, dict) and each.get("modality") == kind)
    return bounded_sum(loose_count(each.get("tokenCount")) or 0 for each in own)
