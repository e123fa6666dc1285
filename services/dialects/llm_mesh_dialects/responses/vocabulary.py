"""The words of OpenAI's Responses beside those of the typed payload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2

DIALECT: Final = "responses"
OBJECT: Final = "response"
ENCRYPTED: Final = "reasoning.encrypted_content"
"""What `include` names so that reasoning can be sent back without being stored."""
LOGPROBS: Final = "message.output_text.logprobs"
ANNOTATED: Final = "response.output_text.annotation.added"
PART_DONE: Final = "response.content_part.done"

_REASONS: Final[Mapping[str, generate_pb2.FinishReason]] = {
    "max_output_tokens": generate_pb2.FINISH_REASON_LENGTH,
    "content_filter": generate_pb2.FINISH_REASON_CONTENT_FILTER,
}


def finish_of(response: Mapping[str, Any], *, calls: bool) -> tuple[generate_pb2.FinishReason, str]:
    """Why a response ended, and the provider's word for it."""
    details = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    if isinstance(reason, str) and reason:
        return _REASONS.get(reason, generate_pb2.FINISH_REASON_OTHER), reason
    status = response.get("status")
    if status not in ("completed", None):
        return generate_pb2.FINISH_REASON_OTHER, str(status)
    return generate_pb2.FINISH_REASON_TOOL_CALLS if calls else generate_pb2.FINISH_REASON_STOP, "completed"
