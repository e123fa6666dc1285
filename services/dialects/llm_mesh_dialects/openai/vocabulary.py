"""The words of the dialect beside those of the typed payload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2

DIALECT: Final = "openai"

ROLES: Final[Mapping[str, content_pb2.Role]] = {
    "system": content_pb2.ROLE_SYSTEM,
    "developer": content_pb2.ROLE_DEVELOPER,
    "user": content_pb2.ROLE_USER,
    "assistant": content_pb2.ROLE_ASSISTANT,
    "tool": content_pb2.ROLE_TOOL,
}
ROLE_WORDS: Final = {role: word for word, role in ROLES.items()}

CHOICE_MODES: Final[Mapping[str, content_pb2.ToolChoiceMode]] = {
    "auto": content_pb2.TOOL_CHOICE_MODE_AUTO,
    "none": content_pb2.TOOL_CHOICE_MODE_NONE,
    "required": content_pb2.TOOL_CHOICE_MODE_REQUIRED,
    "any": content_pb2.TOOL_CHOICE_MODE_REQUIRED,
}
CHOICE_WORDS: Final = {
    content_pb2.TOOL_CHOICE_MODE_AUTO: "auto",
    content_pb2.TOOL_CHOICE_MODE_NONE: "none",
    content_pb2.TOOL_CHOICE_MODE_REQUIRED: "required",
}

# What servers of the dialect say, OpenAI itself and others.
_FINISHES: Final[Mapping[str, generate_pb2.FinishReason]] = {
    "stop": generate_pb2.FINISH_REASON_STOP,
    "eos": generate_pb2.FINISH_REASON_STOP,
    "eos_token": generate_pb2.FINISH_REASON_STOP,
    "end_turn": generate_pb2.FINISH_REASON_STOP,
    "stop_sequence": generate_pb2.FINISH_REASON_STOP,
    "complete": generate_pb2.FINISH_REASON_STOP,
    "completed": generate_pb2.FINISH_REASON_STOP,
    "max_tokens": generate_pb2.FINISH_REASON_LENGTH,
    "max_length": generate_pb2.FINISH_REASON_LENGTH,
    "tool_use": generate_pb2.FINISH_REASON_TOOL_CALLS,
    "tool_call": generate_pb2.FINISH_REASON_TOOL_CALLS,
    "safety": generate_pb2.FINISH_REASON_CONTENT_FILTER,
    "refusal": generate_pb2.FINISH_REASON_REFUSAL,
    "length": generate_pb2.FINISH_REASON_LENGTH,
    "model_length": generate_pb2.FINISH_REASON_LENGTH,
    "tool_calls": generate_pb2.FINISH_REASON_TOOL_CALLS,
    "function_call": generate_pb2.FINISH_REASON_TOOL_CALLS,
    "content_filter": generate_pb2.FINISH_REASON_CONTENT_FILTER,
}
_WORDS: Final[Mapping[int, str]] = {
    generate_pb2.FINISH_REASON_STOP: "stop",
    generate_pb2.FINISH_REASON_LENGTH: "length",
    generate_pb2.FINISH_REASON_TOOL_CALLS: "tool_calls",
    generate_pb2.FINISH_REASON_CONTENT_FILTER: "content_filter",
    generate_pb2.FINISH_REASON_REFUSAL: "content_filter",
    generate_pb2.FINISH_REASON_PAUSE: "stop",
}
_OWN: Final = frozenset({"stop", "length", "tool_calls", "function_call", "content_filter"})

_AUDIO_TYPES: Final[Mapping[str, str]] = {"mp3": "audio/mpeg", "pcm16": "audio/pcm"}
_AUDIO_WORDS: Final = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/x-wav": "wav", "audio/wave": "wav", "audio/pcm": "pcm16"}


def finish_of(word: str | None) -> generate_pb2.FinishReason:
    """What a finish reason means."""
    if not word:
        return generate_pb2.FINISH_REASON_UNSPECIFIED
    return _FINISHES.get(word) or _FINISHES.get(word.lower(), generate_pb2.FINISH_REASON_OTHER)


def finish_word(reason: generate_pb2.FinishReason, native: str) -> str | None:
    """The word for a finish reason: one of the dialect's, the provider's own where it is such a word."""
    if reason == generate_pb2.FINISH_REASON_UNSPECIFIED:
        return None
    if native in _OWN and _FINISHES[native] == reason:
        return native
    return _WORDS.get(reason, "stop")


def audio_type(word: str) -> str:
    """The media type of an audio format."""
    return _AUDIO_TYPES.get(word, f"audio/{word}")


def audio_word(mime_type: str) -> str:
    """The audio format of a media type."""
    return _AUDIO_WORDS.get(mime_type, mime_type.removeprefix("audio/"))
