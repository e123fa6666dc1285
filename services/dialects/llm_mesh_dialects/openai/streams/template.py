"""Chunks that differ from one before them in their text alone, as nearly all chunks of a stream do.

A chunk whose text is cut out leaves a beginning and an end. Another chunk that begins and ends with the same bytes, with the inside of
a JSON string in between, is the same JSON but for that text: whatever held for the first holds for it, without parsing it again. The
padding that OpenAI adds (`obfuscation`) is a second such gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

    from llm_mesh.inference.v1 import generate_pb2

    Events: TypeAlias = RepeatedCompositeFieldContainer[generate_pb2.StreamEvent]

_CONTENT: Final = b'"content":"'
_PADDING: Final = b'"obfuscation":"'
_MARK: Final = "\ue000mark\ue000"
_QUOTE: Final = b'"'


class Template:
    """What one stream's chunks of text have in common, once one of them was seen."""

    __slots__ = ("_begin", "_choice", "_end", "_least", "_middle")

    def __init__(self, choice: int, begin: bytes, middle: bytes, end: bytes) -> None:
        self._choice = choice
        self._begin = begin
        self._middle = middle
        self._end = end
        self._least = len(begin) + len(middle) + len(end)

    def read(self, chunks: Sequence[tuple[bytes, str]], place: int, events: Events) -> int:
        """Adds the events of the chunks from a place on that fit; answers the place of the first that does not."""
        begin, end, least, choice = self._begin, self._end, self._least, self._choice
        for at in range(place, len(chunks)):
            data = chunks[at][0]
            if len(data) <= least or not (data.startswith(begin) and data.endswith(end)):
                return at
            text = self._text(data)
            if text is None:
                return at
            delta = events.add().text
            delta.text = text
            if choice:
                delta.choice = choice
        return len(chunks)

    def _text(self, chunk: bytes) -> str | None:
        inside = chunk[len(self._begin) : -len(self._end)]
        if self._middle:
            inside, found, padding = inside.partition(self._middle)
            if not found or not padding.isalnum():
                return None
        try:
            text: str = orjson.loads(_QUOTE + inside + _QUOTE)
        except orjson.JSONDecodeError:
            return None
        return text or None


def template(data: bytes, chunk: dict[str, Any]) -> Template | None:
    """The template of a chunk that has one choice with one text; None where its spelling is not the usual one."""
    begin, found, rest = data.partition(_CONTENT)
    written = orjson.dumps(chunk["choices"][0]["delta"]["content"])[1:]
    if not found or not rest.startswith(written):
        return None
    begin, end = begin + found, rest[len(written) - 1 :]
    middle = b""
    padding = chunk.get("obfuscation")
    if padding is not None:
        middle, found, end = end.partition(_PADDING)
        if not found or not isinstance(padding, str) or not end.startswith(padding.encode() + _QUOTE):
            return None
        middle, end = middle + found, end[len(padding.encode()) :]
    made = Template(chunk["choices"][0]["index"], begin, middle, end)
    return made if _proven(chunk, begin, middle, end) else None


def _proven(chunk: dict[str, Any], begin: bytes, middle: bytes, end: bytes) -> bool:
    """Whether the gap is where the text stands: with a mark in it, the chunk has the mark for a text, and is the same otherwise."""
    filled = begin + _MARK.encode() + (middle + b"padding" if middle else b"") + end
    choice = chunk["choices"][0]
    marked = {**chunk, "choices": [{**choice, "delta": {**choice["delta"], "content": _MARK}}]}
    if middle:
        marked["obfuscation"] = "padding"
    try:
        return bool(orjson.loads(filled) == marked)
    except orjson.JSONDecodeError:
        return False
