"""The words of the dialect beside those of the typed payload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh.inference.v1 import generate_pb2

DIALECT: Final = "gemini"

OF_PART_BEFORE: Final = "b"
"""The place of a proof that stood at the part before it: a text, or a medium."""
OF_CALL_AFTER: Final = "n"
"""The place of a proof that stood at the function call after it."""
OF_THOUGHT: Final = "h"
"""The place of a proof that stood at the thought itself."""

MADE_ID: Final = "gemini-call-"
"""How the ids of function calls begin to which the provider gave none. They are not sent back."""

PLACEHOLDER: Final = "skip_thought_signature_validator"
"""What the provider documents for calls that it did not make: https://ai.google.dev/gemini-api/docs/thought-signatures."""

_STOP: Final = generate_pb2.FINISH_REASON_STOP
_FILTER: Final = generate_pb2.FINISH_REASON_CONTENT_FILTER
_OTHER: Final = generate_pb2.FINISH_REASON_OTHER

FINISHES: Final[Mapping[str, generate_pb2.FinishReason]] = {
    "STOP": _STOP,
    "MAX_TOKENS": generate_pb2.FINISH_REASON_LENGTH,
    "CONTINUATION": generate_pb2.FINISH_REASON_PAUSE,
    **dict.fromkeys(("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"), _FILTER),
    **dict.fromkeys(("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"), _FILTER),
    **dict.fromkeys(("LANGUAGE", "OTHER", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"), _OTHER),
    **dict.fromkeys(("MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE", "IMAGE_OTHER", "NO_IMAGE", "ESCALATION"), _OTHER),
    **dict.fromkeys(("PUP_LIMITED_DISABLED", "FINISH_REASON_UNSPECIFIED"), _OTHER),
}
"""Every finish reason of google-genai 3.6.1."""


def finish_of(word: str, *, called: bool) -> generate_pb2.FinishReason:
    """What a finish reason means. The provider says STOP of answers that call functions, too."""
    if not word:
        return generate_pb2.FINISH_REASON_UNSPECIFIED
    reason = FINISHES.get(word, _OTHER)
    return generate_pb2.FINISH_REASON_TOOL_CALLS if called and reason == _STOP else reason


BLOCKS: Final = frozenset({"SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK"})
"""Why a prompt is blocked, in the words of google-genai 3.6.1."""

_WORDS: Final[Mapping[generate_pb2.FinishReason, str]] = {
    generate_pb2.FINISH_REASON_UNSPECIFIED: "",
    generate_pb2.FINISH_REASON_LENGTH: "MAX_TOKENS",
    generate_pb2.FINISH_REASON_CONTENT_FILTER: "SAFETY",
    generate_pb2.FINISH_REASON_REFUSAL: "SAFETY",
    generate_pb2.FINISH_REASON_PAUSE: "OTHER",
    generate_pb2.FINISH_REASON_OTHER: "OTHER",
}


def finish_word(reason: generate_pb2.FinishReason, native: str) -> str:
    """The dialect's word for why an answer ended: the provider's own where it is one of these. Calls of functions end with STOP."""
    if native in FINISHES and finish_of(native, called=reason == generate_pb2.FINISH_REASON_TOOL_CALLS) == reason:
        return native
    return _WORDS.get(reason, "STOP")
