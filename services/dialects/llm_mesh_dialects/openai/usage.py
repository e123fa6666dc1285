"""Usage, between the dialect and the typed payload."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.extras import kept, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai.quirks import Quirks
from llm_mesh_dialects.openai.vocabulary import DIALECT


def read_usage(fields: Fields, quirks: Quirks) -> generate_pb2.Usage:
    """What a server reports. Absent figures are zero."""
    used = generate_pb2.Usage(input_tokens=_count(fields, "prompt_tokens"), output_tokens=_count(fields, "completion_tokens"))
    total = _count(fields, "total_tokens")
    left: dict[str, Any] = {}
    inputs = fields.inner("prompt_tokens_details")
    if inputs is not None:
        used.cached_input_tokens = _count(inputs, "cached_tokens")
        used.cache_write_input_tokens = _count(inputs, "cache_write_tokens")
        used.audio_input_tokens = _count(inputs, "audio_tokens")
        left |= {"prompt_tokens_details": rest} if (rest := inputs.rest()) else {}
    outputs = fields.inner("completion_tokens_details")
    if outputs is not None:
        used.reasoning_output_tokens = _count(outputs, "reasoning_tokens")
        used.audio_output_tokens = _count(outputs, "audio_tokens")
        used.accepted_prediction_tokens = _count(outputs, "accepted_prediction_tokens")
        used.rejected_prediction_tokens = _count(outputs, "rejected_prediction_tokens")
        left |= {"completion_tokens_details": rest} if (rest := outputs.rest()) else {}
    rest = fields.rest()
    if not used.cached_input_tokens and (cached := rest.get("prompt_cache_hit_tokens")) and isinstance(cached, int):
        used.cached_input_tokens = cached  # DeepSeek's own name
    if quirks.hidden_reasoning:
        _reveal(used, total)
    used.extras.extend(kept(DIALECT, left | rest))
    return used


def write_usage(used: generate_pb2.Usage) -> dict[str, Any]:
    """What a client is told."""
    inputs = {"cached_tokens": used.cached_input_tokens, "audio_tokens": used.audio_input_tokens}
    if used.cache_write_input_tokens:
        inputs["cache_write_tokens"] = used.cache_write_input_tokens
    written: dict[str, Any] = {
        "prompt_tokens": used.input_tokens,
        "completion_tokens": used.output_tokens,
        "total_tokens": used.input_tokens + used.output_tokens,
        "prompt_tokens_details": inputs,
        "completion_tokens_details": {
            "reasoning_tokens": used.reasoning_output_tokens,
            "audio_tokens": used.audio_output_tokens,
            "accepted_prediction_tokens": used.accepted_prediction_tokens,
            "rejected_prediction_tokens": used.rejected_prediction_tokens,
        },
    }
    put_back(written, used.extras, DIALECT)
    return written


def _reveal(used: generate_pb2.Usage, total: int) -> None:
    """The total tells how much reasoning the output leaves out; where it does not, more reasoning than output does."""
    hidden = max(total - used.input_tokens - used.output_tokens, 0)
    if not hidden and used.reasoning_output_tokens > used.output_tokens:
        hidden = used.reasoning_output_tokens
    used.output_tokens += hidden
    used.reasoning_output_tokens = max(used.reasoning_output_tokens, hidden)


def _count(fields: Fields, key: str) -> int:
    return fields.whole(key, 0) or 0
