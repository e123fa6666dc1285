"""Whether a provider answered nothing because it did not like the prompt."""

from __future__ import annotations

from typing import Any


def block_of(answer: Any) -> str:  # noqa: ANN401 (JSON)
    """Why the prompt was blocked, in the provider's word and words; empty where it was not."""
    if not isinstance(answer, dict) or answer.get("candidates"):
        return ""
    feedback = answer.get("promptFeedback")
    if not isinstance(feedback, dict):
        return ""
    reason, words = feedback.get("blockReason"), feedback.get("blockReasonMessage")
    if not isinstance(reason, str) or not reason:
        return ""
    return f"{reason}: {words}" if isinstance(words, str) and words else reason
