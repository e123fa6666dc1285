"""Usage, between the dialect and the typed payload.

`input_tokens` of the dialect leaves out what the cache had a part in; the typed sum contains it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.anthropic.iterations import MOST, with_iterations, without_iterations
from llm_mesh_dialects.anthropic.vocabulary import DIALECT
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import bounded_sum, loose_count, loose_text

_LIFETIMES: Final = {
    "ephemeral_5m_input_tokens": "cache_write_5m_input_tokens",
    "ephemeral_1h_input_tokens": "cache_write_1h_input_tokens",
}
_TIERS: Final = {
    "standard": generate_pb2.SERVICE_TIER_STANDARD,
    "priority": generate_pb2.SERVICE_TIER_PRIORITY,
    "batch": generate_pb2.SERVICE_TIER_BATCH,
}
_TIER_WORDS: Final = {tier: word for word, tier in _TIERS.items()}


def read_usage(fields: Fields, before: generate_pb2.Usage | None = None) -> generate_pb2.Usage:
    """What a provider reports. Figures of a stream are cumulative: those that are absent stay as they were `before`."""
    iterations = _iterations(fields) or ([] if before is None else list(before.iterations))
    return with_iterations(_figures(fields, without_iterations(before or generate_pb2.Usage())), iterations)


def _figures(fields: Fields, known: generate_pb2.Usage) -> generate_pb2.Usage:
    """All but the parts of the bill."""
    cached = _count(fields, "cache_read_input_tokens", known.cached_input_tokens)
    written = _count(fields, "cache_creation_input_tokens", known.cache_write_input_tokens)
    fresh = _count(fields, "input_tokens", max(0, known.input_tokens - known.cached_input_tokens - known.cache_write_input_tokens))
    used = generate_pb2.Usage(
        input_tokens=bounded_sum((fresh, cached, written)),
        output_tokens=_count(fields, "output_tokens", known.output_tokens),
        cached_input_tokens=cached,
        cache_write_input_tokens=written,
        reasoning_output_tokens=known.reasoning_output_tokens,
        cache_write_5m_input_tokens=known.cache_write_5m_input_tokens,
        cache_write_1h_input_tokens=known.cache_write_1h_input_tokens,
        service_tier=known.service_tier,
    )
    left: dict[str, Any] = {}
    _lifetimes(fields, used)
    if (tier := fields.peek("service_tier")) in _TIERS:
        used.service_tier = _TIERS[tier]
        fields.raw("service_tier")
    details = fields.inner("output_tokens_details") if isinstance(fields.peek("output_tokens_details"), dict) else None
    if details is not None:
        used.reasoning_output_tokens = _count(details, "thinking_tokens", 0)
        left |= {"output_tokens_details": rest} if (rest := details.rest()) else {}
    left |= {key: value for key, value in fields.rest().items() if value is not None}
    used.extras.extend(_together(known.extras, as_extras(DIALECT, left)))
    return used


def write_usage(used: generate_pb2.Usage) -> dict[str, Any]:
    """What a client is told."""
    iterations = used.iterations
    used = without_iterations(used)
    written: dict[str, Any] = {
        "input_tokens": max(0, used.input_tokens - used.cached_input_tokens - used.cache_write_input_tokens),
        "cache_creation_input_tokens": used.cache_write_input_tokens,
        "cache_read_input_tokens": used.cached_input_tokens,
        "output_tokens": used.output_tokens,
    }
    if used.cache_write_5m_input_tokens or used.cache_write_1h_input_tokens:
        written["cache_creation"] = {key: getattr(used, name) for key, name in _LIFETIMES.items()}
    if used.service_tier in _TIER_WORDS:
        written["service_tier"] = _TIER_WORDS[used.service_tier]
    if used.reasoning_output_tokens:
        written["output_tokens_details"] = {"thinking_tokens": used.reasoning_output_tokens}
    if iterations:
        written["iterations"] = [_iteration(each) for each in iterations]
    put_back(written, used.extras, DIALECT)
    return written


def _iterations(fields: Fields) -> list[generate_pb2.ModelUsage]:
    """The parts of the bill. One run of the model itself says what the sums say, and stays what it is."""
    listed = fields.peek("iterations")
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST or not all(isinstance(each, dict) for each in listed):
        return []
    if len(listed) == 1 and listed[0].get("type") == "message" and not listed[0].get("model"):
        return []
    made = []
    for each in fields.each("iterations"):
        kind, model = loose_text(each.raw("type")), loose_text(each.raw("model"))
        each.raw("iterations")  # a part has no parts, however deep a provider nests them
        made.append(generate_pb2.ModelUsage(type=kind, model=model, usage=_figures(each, generate_pb2.Usage())))
    return made


def _iteration(part: generate_pb2.ModelUsage) -> dict[str, Any]:
    return {"type": part.type or "message", **({"model": part.model} if part.model else {}), **write_usage(part.usage)}


def _lifetimes(fields: Fields, used: generate_pb2.Usage) -> None:
    """How long the provider keeps what was written. An object that says nothing else than zeros stays what it is."""
    creation = fields.peek("cache_creation")
    if not isinstance(creation, dict):
        return
    counts = {name: loose_count(creation.get(key)) or 0 for key, name in _LIFETIMES.items()}
    if any(counts.values()) and creation.keys() <= _LIFETIMES.keys():
        fields.raw("cache_creation")
        for name, count in counts.items():
            setattr(used, name, count)


def _count(fields: Fields, key: str, otherwise: int) -> int:
    value = loose_count(fields.raw(key))
    return otherwise if value is None else value


def _together(older: Iterable[content_pb2.Extra], newer: Iterable[content_pb2.Extra]) -> list[content_pb2.Extra]:
    return list(({each.key: each for each in older} | {each.key: each for each in newer}).values())
