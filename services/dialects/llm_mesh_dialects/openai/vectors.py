"""Takes the vectors out of a provider's answer while it arrives: its text, of 100 MB and more, is never there as a whole.

What stays is the answer without its vectors, which is short. In the place of each vector stands its number, as a text that no vector
has: `#` is no letter of base64.
"""

from __future__ import annotations

import array
import json
import re
import sys
from collections.abc import Callable
from typing import Any, Final

import orjson

from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.openai import media

LONGEST_VECTOR: Final = 2 * 1024 * 1024
"""Bytes of text of one vector."""
MOST_NUMBERS: Final = 65_536
"""In one vector. To read or write one is a step that nothing interrupts: models have up to 16,384, and a million took 160 ms."""
LONGEST_REST: Final = 8 * 1024 * 1024
"""Bytes of text of everything else."""
_VECTOR: Final = {
    key: re.compile(rb'(?<!\\)"' + key.encode() + rb'"[ \t\r\n]{0,32}:[ \t\r\n]{0,32}([\["])') for key in ("embedding", "values")
}
"""The begin of a vector, by the key under which dialects have it."""
_LONGEST_BEGIN: Final = 128
"""More than what `_VECTOR` matches: so much of the text may be the begin of a match, and waits for what follows."""
_NUMBER: Final = re.compile(r"#([0-9]{1,9})")
_EXPECTED: Final = "expected a list of numbers, or base64 of 32-bit numbers"
_SIZE: Final = 4


class VectorText:
    """The text of one answer. `clean` takes credentials out of a text; `step` is called after each vector.

    Vectors stand under `key`, in the items of `items`.
    """

    def __init__(self, clean: Callable[[bytes], bytes], most: int, *, key: str = "embedding", items: str = "data") -> None:
        self.vectors: list[bytes] = []
        """Those that are whole, in the order in which they came: 32-bit numbers, little-endian."""
        self._begin = _VECTOR[key]
        self._key = key
        self._items = items
        self._clean = clean
        self._most = most
        self._text = bytearray()
        self._rest = bytearray()
        self._searched = 0
        self._end = b""
        """What ends the vector at the begin of `_text`. Empty: no vector begins there."""

    @property
    def dimensions(self) -> int:
        """How many numbers each vector has. 0: none has come."""
        return len(self.vectors[0]) // _SIZE if self.vectors else 0

    def feed(self, data: bytes, step: Callable[[], None]) -> None:
        """More of the text. Raises `DialectError` where a vector is none."""
        self._text += data
        while self._take_vector(step) if self._end else self._find_vector():
            pass

    def rest(self) -> bytes:
        """The text without vectors, at its end."""
        if self._end:
            raise DialectError(self._place(), "the answer ended within it")
        self._keep(len(self._text))
        return self._clean(bytes(self._rest))

    def _find_vector(self) -> bool:
        begin = self._begin.search(self._text)
        if begin is None:
            self._keep(max(0, len(self._text) - _LONGEST_BEGIN))
            return False
        self._end = b"]" if begin[1] == b"[" else b'"'
        self._keep(begin.start(1))
        self._searched = 1
        return True

    def _take_vector(self, step: Callable[[], None]) -> bool:
        end = self._text.find(self._end, self._searched)
        if end < 0:
            self._searched = len(self._text)
            if self._searched > LONGEST_VECTOR:
                raise DialectError(self._place(), f"more than {LONGEST_VECTOR} bytes")
            return False
        text = self._clean(bytes(self._text[: end + 1]))
        vector = _packed(text, self._place())
        if not vector:
            raise DialectError(self._place(), _EXPECTED)
        if self.vectors and len(vector) != len(self.vectors[0]):
            raise DialectError(self._place(), f"expected {self.dimensions} numbers, as in the first")
        if len(self.vectors) >= self._most:
            raise DialectError(self._place(), f"expected at most {self._most} vectors")
        self._rest += b'"#%d"' % len(self.vectors)
        self.vectors.append(vector)
        del self._text[: end + 1]
        self._end = b""
        step()
        return True

    def _keep(self, size: int) -> None:
        self._rest += self._text[:size]
        del self._text[:size]
        if len(self._rest) > LONGEST_REST:
            raise DialectError(self._items, f"more than {LONGEST_REST} bytes beside the vectors")

    def _place(self) -> str:
        return f"{self._items}[{len(self.vectors)}].{self._key}"


def number_of(value: object) -> int | None:
    """The number of the vector in whose place a value stands; None where it is no such place."""
    match = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) if match is not None else None


def _packed(text: bytes, place: str) -> bytes:
    if _count(text) > MOST_NUMBERS:
        raise DialectError(place, f"more than {MOST_NUMBERS} numbers")
    try:
        value = _parsed(text)
        if isinstance(value, str):
            raw = media.decoded(value, place)
            if len(raw) % _SIZE:
                raise DialectError(place, _EXPECTED)
            return raw
        numbers: array.array[float] = array.array("f", value)
    except (TypeError, ValueError, OverflowError):  # what JSON's parsers raise is a ValueError
        raise DialectError(place, _EXPECTED) from None
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _count(text: bytes) -> int:
    """How many numbers a text has, before it is parsed: between commas, or four bytes each in base64."""
    return text.count(b",") + 1 if text[:1] == b"[" else len(text) * 3 // (4 * _SIZE)


def _parsed(text: bytes) -> Any:  # noqa: ANN401 (JSON)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if text[:1] != b"[" or b"[" in text[1:] or b"{" in text:  # its parser falls over lists in lists in lists
            raise
        return json.loads(text)  # takes NaN and Infinity, as servers written in Python say them
