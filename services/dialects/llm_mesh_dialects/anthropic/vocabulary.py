"""The words of the dialect beside those of the typed payload."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2

DIALECT: Final = "anthropic"

CHOICE_MODES: Final[Mapping[str, content_pb2.ToolChoiceMode]] = {
    "auto": content_pb2.TOOL_CHOICE_MODE_AUTO,
    "none": content_pb2.TOOL_CHOICE_MODE_NONE,
    "any": content_pb2.TOOL_CHOICE_MODE_REQUIRED,
    "tool": content_pb2.TOOL_CHOICE_MODE_NAMED,
}
CHOICE_WORDS: Final = {mode: word for word, mode in CHOICE_MODES.items()}

EFFORTS: Final = frozenset({"low", "medium", "high", "xhigh", "max"})
"""Efforts that the typed payload and the dialect both know."""

_FINISHES: Final[Mapping[str, generate_pb2.FinishReason]] = {
    "end_turn": generate_pb2.FINISH_REASON_STOP,
    "stop_sequence": generate_pb2.FINISH_REASON_STOP,
    "max_tokens": generate_pb2.FINISH_REASON_LENGTH,
    "model_context_window_exceeded": generate_pb2.FINISH_REASON_LENGTH,
    "tool_use": generate_pb2.FINISH_REASON_TOOL_CALLS,
    "refusal": generate_pb2.FINISH_REASON_REFUSAL,
    "pause_turn": generate_pb2.FINISH_REASON_PAUSE,
}
_WORDS: Final[Mapping[int, str]] = {
    generate_pb2.FINISH_REASON_STOP: "end_turn",
    generate_pb2.FINISH_REASON_LENGTH: "max_tokens",
    generate_pb2.FINISH_REASON_TOOL_CALLS: "tool_use",
    generate_pb2.FINISH_REASON_CONTENT_FILTER: "refusal",
    generate_pb2.FINISH_REASON_REFUSAL: "refusal",
    generate_pb2.FINISH_REASON_PAUSE: "pause_turn",
}

_TTL: Final = re.compile(r"([1-9][0-9]{0,4})([mh])")
_SECONDS: Final = {"m": 60, "h": 3600}
SHORT_TTL: Final = 300
LONG_TTL: Final = 3600


def finish_of(word: str | None) -> generate_pb2.FinishReason:
    """What a stop reason means."""
    if not word:
        return generate_pb2.FINISH_REASON_UNSPECIFIED
    return _FINISHES.get(word, generate_pb2.FINISH_REASON_OTHER)


def finish_word(reason: generate_pb2.FinishReason, native: str) -> str | None:
    """The word for a finish reason: one of the dialect's, the provider's own where it is such a word."""
    if reason == generate_pb2.FINISH_REASON_UNSPECIFIED:
        return None
    if _FINISHES.get(native) == reason:
        return native
    return _WORDS.get(reason, "end_turn")


def ttl_seconds(word: str) -> int | None:
    """How long `5m` or `1h` is; None for words of another form."""
    matched = _TTL.fullmatch(word)
    return int(matched[1]) * _SECONDS[matched[2]] if matched else None
