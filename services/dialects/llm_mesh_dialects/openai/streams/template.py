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
_COMMA: Final = b'","'
_FEW: Final = 3
"""Chunks at the end of a stream that are others: why it ended, the usage, that nothing follows."""


class Template:
    """What one stream's chunks of text have in common, once one of them was seen."""

    __slots__ = ("_begin", "_choice", "_end", "_even", "_least", "_middle", "_seam")

    def __init__(self, choice: int, begin: bytes, middle: bytes, end: bytes) -> None:
        self._choice = choice
        self._begin = begin
        self._middle = middle
        self._end = end
        self._least = len(begin) + len(middle) + len(end)
        self._even = not middle
        """Whether chunks may be read at once: until some were not alike, lest what is left of a read is looked at time and again."""
        self._seam = end + begin
        """What stands between two texts where chunks are put one behind the other."""

    def read(self, chunks: Sequence[tuple[bytes, str]], place: int, events: Events) -> list[str]:
        """Adds the events of the chunks from a place on that fit, up to the first that does not; answers their texts."""
        texts = self._at_once(chunks, place) if self._even and len(chunks) - place > _FEW else []
        if not texts:
            for at in range(place, len(chunks)):
                inside = self._inside(chunks[at][0])
                if inside is None:
                    break
                try:
                    texts.append(orjson.loads(b'"%b"' % inside))
                except orjson.JSONDecodeError:
                    break
        add, choice = events.add, self._choice
        for text in texts:
            delta = add().text
            delta.text = text
            if choice:
                delta.choice = choice
        return texts

    def _at_once(self, chunks: Sequence[tuple[bytes, str]], place: int) -> list[str]:
        """The texts of all chunks but the last few, which may be others; none where that is not certain.

        What is cut out of each as if it were alike gives the chunks again, put between the same pieces, only if they are alike. What was
        cut out is parsed as one list: with no quotes but those between, each of it is the inside of a string. An inside that ends with a
        backslash could still end a string elsewhere, but its last string is then without an end.
        """
        last = len(chunks)
        while last > len(chunks) - _FEW and self._inside(chunks[last - 1][0]) is None:
            last -= 1
        datas = [data for data, _ in chunks[place:last]]
        begin, end = len(self._begin), -len(self._end)
        insides = [data[begin:end] for data in datas]
        self._even = b"".join((self._begin, self._seam.join(insides), self._end)) == b"".join(datas)
        strings = _COMMA.join(insides)
        if not self._even or strings.count(_QUOTE) != 2 * len(insides) - 2:
            return []
        try:
            texts: list[str] = orjson.loads(b'["%b"]' % strings)
        except orjson.JSONDecodeError:
            return []
        return [] if "" in texts else texts

    def _inside(self, data: bytes) -> bytes | None:
        """What stands in the gap of a chunk that begins and ends as this one."""
        if len(data) <= self._least or not (data.startswith(self._begin) and data.endswith(self._end)):
            return None
        inside = data[len(self._begin) : -len(self._end)]
        if self._middle:
            inside, separator, padding = inside.partition(self._middle)
            if not (inside and separator and padding.isalnum()):
                return None
        return inside


def template(data: bytes, chunk: dict[str, Any]) -> Template | None:
    """The template of a chunk that has one choice with one text; None where its spelling is not the usual one."""
    begin, separator, rest = data.partition(_CONTENT)
    written = orjson.dumps(chunk["choices"][0]["delta"]["content"])[1:]
    if not separator or not rest.startswith(written):
        return None
    begin, end = begin + separator, rest[len(written) - 1 :]
    middle = b""
    padding = chunk.get("obfuscation")
    if padding is not None:
        middle, separator, end = end.partition(_PADDING)
        if not separator or not isinstance(padding, str) or not end.startswith(padding.encode() + _QUOTE):
            return None
        middle, end = middle + separator, end[len(padding.encode()) :]
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
