"""Words of the dialect."""

from __future__ import annotations

from typing import Final

from llm_mesh.inference.v1 import generate_pb2

DIALECT: Final = "ollama"
_REASONS: Final = {"stop": generate_pb2.FINISH_REASON_STOP, "length": generate_pb2.FINISH_REASON_LENGTH}


def finish_of(word: str, *, calls: bool) -> generate_pb2.FinishReason:
    """Why an answer ended. The dialect says `stop` where the model waits for tools, too."""
    reason = _REASONS.get(word, generate_pb2.FINISH_REASON_OTHER)
    return generate_pb2.FINISH_REASON_TOOL_CALLS if calls and reason == generate_pb2.FINISH_REASON_STOP else reason
