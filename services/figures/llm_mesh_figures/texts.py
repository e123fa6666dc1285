"""Counts texts: the gateway and adapters estimate inputs and count answers alike.

A token is about four bytes of text, and nothing that carries content has less than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from llm_mesh.inference.v1 import content_pb2, generate_pb2

_BYTES_PER_TOKEN = 4
_READ_AS_TEXT = frozenset({"text", "reasoning", "refusal", "tool_call", "audio"})


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


def text_size(text: str) -> int:
    """Bytes of a text, in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def part_size(part: content_pb2.Part) -> int:
    """Bytes of the text in a part of an answer, as the events of the same part in a stream have; of anything else, its size on the wire."""
    kind = part.WhichOneof("kind")
    if kind == "tool_call":
        return text_size(part.tool_call.name) + text_size(part.tool_call.arguments_json)
    if kind == "audio":
        return text_size(part.audio.transcript)
    return text_size(getattr(part, kind).text) if kind in _READ_AS_TEXT else part.ByteSize()


def tokens_of(size: int) -> int:
    """About how many tokens a text of so many bytes has."""
    return -(-size // _BYTES_PER_TOKEN)


def output_tokens(pieces: int, size: int) -> int:
    """About how many tokens were generated, where so many pieces of content have so many bytes of text."""
    return max(pieces, tokens_of(size))
