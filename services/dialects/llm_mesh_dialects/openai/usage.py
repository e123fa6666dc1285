"""Usage, between the dialect and the typed payload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.extras import keep, put_back
from llm_mesh_dialects.fields import unread
from llm_mesh_dialects.loose import bounded_sum, loose_count
from llm_mesh_dialects.openai.quirks import OpenAIQuirks
from llm_mesh_dialects.openai.vocabulary import DIALECT

_MOST: Final = 2**63 - 1
_COUNTS: Final[Mapping[str, str]] = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens"}
_OTHER_COUNTS: Final[Mapping[str, str]] = {"input_tokens": "input_tokens", "output_tokens": "output_tokens"}
_OTHER_CACHED: Final = ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")
"""Names of DeepSeek, Moonshot, and servers that speak for Anthropic's models."""
_AUDIO_SECONDS: Final = "prompt_audio_seconds"
_INPUTS: Final[Mapping[str, str]] = {
    "cached_tokens": "cached_input_tokens",
    "cache_write_tokens": "cache_write_input_tokens",
    "audio_tokens": "audio_input_tokens",
}
_LIFETIMES: Final = "cache_write_tokens_details"
_OUTPUTS: Final[Mapping[str, str]] = {
    "reasoning_tokens": "reasoning_output_tokens",
    "audio_tokens": "audio_output_tokens",
    "accepted_prediction_tokens": "accepted_prediction_tokens",
    "rejected_prediction_tokens": "rejected_prediction_tokens",
}
_DETAILS: Final[Mapping[str, Mapping[str, str]]] = {"prompt_tokens_details": _INPUTS, "completion_tokens_details": _OUTPUTS}
_OTHER_DETAILS: Final[Mapping[str, str]] = {
    "input_tokens_details": "prompt_tokens_details",
    "output_tokens_details": "completion_tokens_details",
}
"""The same in the words of OpenAI's Responses."""


def read_usage(value: object, quirks: OpenAIQuirks) -> generate_pb2.Usage:
    """What a server reports. Absent figures are zero."""
    used = generate_pb2.Usage()
    read_usage_into(used, value, quirks)
    return used


def read_usage_into(used: generate_pb2.Usage, value: object, quirks: OpenAIQuirks) -> None:
    """Likewise, into a message that is there already. A figure that cannot be read is as one that is missing."""
    used.SetInParent()
    if not isinstance(value, dict):
        return
    total = 0
    left: dict[str, Any] = {}
    for key, figure in value.items():
        if key in _COUNTS:
            _count(used, _COUNTS[key], figure)
        elif key == "total_tokens":
            total = loose_count(figure) or 0
        elif key in _DETAILS:
            if isinstance(figure, dict) and (odd := _details(used, figure, _DETAILS[key])):
                left[key] = odd
        else:
            left[key] = figure
    if left:
        _other_details(used, left)
        _other_names(used, left)
        _read_sound(used, left)
        _read_lifetimes(used, left)
    if quirks.hidden_reasoning:
        _reveal(used, total)
    keep(used, DIALECT, left)


def _other_names(used: generate_pb2.Usage, left: dict[str, Any]) -> None:
    """Figures under the names of other servers, where those of the dialect say nothing."""
    for key, name in _OTHER_COUNTS.items():
        if key in left and not getattr(used, name):
            _count(used, name, left.pop(key))
    for key in _OTHER_CACHED:
        if key in left and not used.cached_input_tokens:
            _count(used, "cached_input_tokens", left[key])
            used.cached_input_tokens = min(used.cached_input_tokens, used.input_tokens)


def _other_details(used: generate_pb2.Usage, left: dict[str, Any]) -> None:
    """Parts in the words of OpenAI's Responses, where the dialect's own say nothing. They go on as they came, too."""
    for key, own in _OTHER_DETAILS.items():
        if isinstance(details := left.get(key), dict):
            for name, field in _DETAILS[own].items():
                if not getattr(used, field):
                    _count(used, field, details.get(name))


def _read_lifetimes(used: generate_pb2.Usage, left: dict[str, Any]) -> None:
    """How long the provider keeps what was written. The parts are never more than their sum; they go on as they came, too."""
    lifetimes = next((parts for key in (*_DETAILS, *_OTHER_DETAILS) if (parts := _lifetimes_in(left.get(key)))), None)
    if lifetimes is None:
        return
    longest = loose_count(lifetimes.get("ttl_12h_tokens")) or 0
    shorter = loose_count(lifetimes.get("ttl_30m_tokens")) or 0
    if not used.cache_write_input_tokens:  # the parts alone are told
        used.cache_write_input_tokens = min(longest + shorter, max(0, used.input_tokens - used.cached_input_tokens))
    used.cache_write_12h_input_tokens = min(longest, used.cache_write_input_tokens)
    used.cache_write_30m_input_tokens = min(shorter, used.cache_write_input_tokens - used.cache_write_12h_input_tokens)


def _lifetimes_in(details: object) -> dict[str, Any] | None:
    lifetimes = details.get(_LIFETIMES) if isinstance(details, dict) else None
    return lifetimes if isinstance(lifetimes, dict) else None


def _read_sound(used: generate_pb2.Usage, left: dict[str, Any]) -> None:
    """Mistral bills sound by the second."""
    seconds = loose_count(left.get(_AUDIO_SECONDS))
    if seconds is not None:
        used.audio_input_milliseconds = min(seconds * 1_000, _MOST)
        del left[_AUDIO_SECONDS]


def _details(used: generate_pb2.Usage, value: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Reads figures of a kind, and answers what is not modelled."""
    for key, name in names.items():
        if figure := value.get(key):
            _count(used, name, figure)
    return unread(value, names.keys())


def write_usage(used: generate_pb2.Usage) -> dict[str, Any]:
    """What a client is told."""
    put, out = used.input_tokens, used.output_tokens
    inputs = {"cached_tokens": used.cached_input_tokens, "audio_tokens": used.audio_input_tokens}
    if written_to_cache := used.cache_write_input_tokens:
        inputs["cache_write_tokens"] = written_to_cache
    written: dict[str, Any] = {
        "prompt_tokens": put,
        "completion_tokens": out,
        "total_tokens": put + out,
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
    used.output_tokens = bounded_sum((used.output_tokens, hidden))
    used.reasoning_output_tokens = max(used.reasoning_output_tokens, hidden)


def _count(used: generate_pb2.Usage, name: str, figure: object) -> None:
    if type(figure) is int and 0 <= figure <= _MOST:
        setattr(used, name, figure)
    elif (read := loose_count(figure)) is not None:
        setattr(used, name, read)
