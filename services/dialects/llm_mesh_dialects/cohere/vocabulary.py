"""Words of the dialect."""

from __future__ import annotations

from typing import Final

from llm_mesh.inference.v1 import generate_pb2

DIALECT: Final = "cohere"
ERROR: Final = "ERROR"
"""An answer that ends so has failed."""
_REASONS: Final = {
    "COMPLETE": generate_pb2.FINISH_REASON_STOP,
    "STOP_SEQUENCE": generate_pb2.FINISH_REASON_STOP,
    "MAX_TOKENS": generate_pb2.FINISH_REASON_LENGTH,
    "TOOL_CALL": generate_pb2.FINISH_REASON_TOOL_CALLS,
    "ERROR_LIMIT": generate_pb2.FINISH_REASON_LENGTH,
    "ERROR_TOXIC": generate_pb2.FINISH_REASON_CONTENT_FILTER,
}
"""`TIMEOUT` is another reason: what came until then is there."""


def finish_of(word: str) -> generate_pb2.FinishReason:
    """Why an answer ended."""
    return _REASONS.get(word, generate_pb2.FINISH_REASON_OTHER)
