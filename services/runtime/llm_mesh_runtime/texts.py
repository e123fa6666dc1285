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
    texts = [event.text.text for event in events]
    told, empty = "".join(texts), texts.count("")
    size = len(told) if told.isascii() else len(told.encode("utf-8", "replace"))
    others = [event for event, text in zip(events, texts, strict=True) if not text] if empty else []
    return Counted(len(texts) - empty, size, others)
