"""The words of the dialect beside those of the typed payload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh.inference.v1 import generate_pb2

DIALECT: Final = "bedrock"

FINISHES: Final[Mapping[str, generate_pb2.FinishReason]] = {
    "end_turn": generate_pb2.FINISH_REASON_STOP,
    "stop_sequence": generate_pb2.FINISH_REASON_STOP,
    "max_tokens": generate_pb2.FINISH_REASON_LENGTH,
    "model_context_window_exceeded": generate_pb2.FINISH_REASON_LENGTH,
    "tool_use": generate_pb2.FINISH_REASON_TOOL_CALLS,
    "guardrail_intervened": generate_pb2.FINISH_REASON_CONTENT_FILTER,
    "content_filtered": generate_pb2.FINISH_REASON_CONTENT_FILTER,
    "refusal": generate_pb2.FINISH_REASON_REFUSAL,
    "pause_turn": generate_pb2.FINISH_REASON_PAUSE,
    "malformed_model_output": generate_pb2.FINISH_REASON_OTHER,
    "malformed_tool_use": generate_pb2.FINISH_REASON_OTHER,
}


def finish_of(word: str | None, *, calls: bool = False) -> generate_pb2.FinishReason:
    """What a stop reason means. An answer with `calls` that just ended wants them to be made."""
    if not word:
        return generate_pb2.FINISH_REASON_UNSPECIFIED
    if calls and word == "end_turn":
        return generate_pb2.FINISH_REASON_TOOL_CALLS
    return FINISHES.get(word, generate_pb2.FINISH_REASON_OTHER)
