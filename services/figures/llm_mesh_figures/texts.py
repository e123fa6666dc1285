"""Counts the plain texts of a stream's events, for all that came in one read: the gateway and adapters count answers alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from llm_mesh.inference.v1 import generate_pb2


class Counted(NamedTuple):
    """What the events of a read are."""

    texts: int
    """How many are texts that are not empty."""
    size: int
    """Bytes of these texts, in UTF-8."""
    others: list[generate_pb2.StreamEvent]
    """All other events, in their order."""


def counted(events: Sequence[generate_pb2.StreamEvent]) -> Counted:
    """Counts at once: nearly every event of a stream is a text, and a step for each would cost more than all else that it takes."""
    events = events[:]  # a list: the end of a loop over a repeated field would be an exception with a text
    texts = [event.text.text for event in events]
    others = [event for event, text in zip(events, texts, strict=True) if not text] if "" in texts else []
    return tuple.__new__(Counted, (len(texts) - len(others), size_of(texts), others))  # without the constructor's Python function


def size_of(texts: list[str]) -> int:
    """Bytes of texts, in UTF-8."""
    whole = texts[0] if len(texts) == 1 else "".join(texts)
    return len(whole) if whole.isascii() else len(whole.encode("utf-8", "replace"))
