"""How screening reads a text: folded to the ASCII that a reader sees, with the place of each byte in the original.

Digits and letters of any style become plain ones (NFKC, and the decimal digits of all scripts), spaces, dashes, dots and slashes
become one of each. What nobody sees (zero-width characters, soft hyphens, combining marks, controls) becomes a gap: no part of a secret,
and no obstacle to finding it. Escapes of JSON and of URLs are decoded in a second view of the same text, because decoding can hide
a secret as well as show one: `%41` may be the letter A, or a percent sign before a number.
"""

import re
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

GAP, WALL, JOINT, OTHER = "\x00", "\x01", "\x02", "\x7f"
"""Invisible; never part of a finding; the border between neighbouring texts; a character that no detector knows."""
_KEPT_CONTROLS = "\t\n\r"
_ASCII = bytes(
    code if code >= 0x20 or chr(code) in _KEPT_CONTROLS + GAP + WALL + JOINT else 0  # noqa: PLR2004 (the first that is no control)
    for code in range(256)
)
_INVISIBLE = frozenset({"Cc", "Cf", "Mn", "Me"})
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_DASHES = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u2043\u30fc\uff70")
_PLAIN = {
    **dict.fromkeys(_DASHES, "-"),
    **dict.fromkeys("\u00b7\u2022\u2027\u2219\u22c5\u3002\u30fb\uff61\uff65", "."),
    **dict.fromkeys("\u2044\u2215\u29f8", "/"),
    **{chr(code): chr(code - 0xE0000) for code in range(0xE0020, 0xE007F)},
}
"""Dashes, dots, slashes; and ASCII once more as tags, which nobody sees and models read."""
_FIRST_NOT_ASCII = 0x80
_LONGEST_UNFINISHED = 96
_SURROGATES = r"\\{1,16}u[dD][89abAB][0-9a-fA-F]{2}\\{1,16}u[dD][c-fC-F][0-9a-fA-F]{2}"
_PERCENT = r"%(?:25){0,4}[0-9a-fA-F]{2}"
_ESCAPE = re.compile(rf'{_SURROGATES}|\\{{1,16}}(?:u[0-9a-fA-F]{{4}}|[nrtbf/"])|(?:{_PERCENT})+')
_UNFINISHED = re.compile(
    r"(?:\\{1,16}u[dD][89abAB][0-9a-fA-F]{2})?\\{1,16}(?:u[0-9a-fA-F]{0,4}|[nrtbf/\"])?\Z|(?:%(?:25){0,4}[0-9a-fA-F]{0,2}){1,4}\Z"
)
_ONE_PERCENT = re.compile(_PERCENT)
_ONE_UNFINISHED = re.compile(r"%(?:25){0,4}[0-9a-fA-F]{0,2}")
_CONTINUES = re.compile(r"[89abAB][0-9a-fA-F]\Z")
"""A byte within a character of UTF-8."""
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", "b": GAP, "f": GAP, "/": "/", '"': '"'}


@dataclass(slots=True)
class View:
    """One reading of a text. `places` has the index of each byte's character; None: byte `i` is character `i`."""

    text: bytes
    places: "array[int] | None" = None

    def place(self, index: int) -> int:
        """Which character of the text stands behind a byte."""
        return index if self.places is None else self.places[index]

    def index(self, place: int) -> int:
        """The first byte that stands for a character at or after the place."""
        return place if self.places is None else bisect_left(self.places, place)

    def begin_of(self, place: int) -> int:
        """Where the character or escape begins that the place is in."""
        return place if self.places is None else self.places[max(0, bisect_right(self.places, place) - 1)]


class _Folding(dict[int, str]):
    """Code points as screening reads them, each decided when it first occurs. Bounded by the number of code points."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _folded(chr(code))
        return folded


_FOLDING = _Folding()


def view_of(text: str) -> View:
    """The text as it stands, folded."""
    if text.isascii():
        return View(text.encode("ascii").translate(_ASCII))
    folded = text.translate(_FOLDING)
    if len(folded) == len(text):
        return View(folded.encode("ascii"))
    return _joined([(_FOLDING[ord(each)], place) for place, each in enumerate(text)], len(text))


def decoded_view_of(text: str) -> View | None:
    """The text with its escapes decoded, folded; None where it has none."""
    if "\\" not in text and "%" not in text:
        return None
    cells: list[tuple[str, int]] = []
    at = 0
    for match in _ESCAPE.finditer(text):
        cells += _plain(text, at, match.start())
        cells += _escaped(match[0], match.start())
        at = match.end()
    if at == 0:
        return None
    cells += _plain(text, at, len(text))
    return _joined(cells, len(text))


def decided_length(text: str) -> int:
    """How much of an unfinished text has no part in an escape that later text may complete."""
    begin = max(0, len(text) - _LONGEST_UNFINISHED)
    if text.find("\\", begin) < 0 and text.find("%", begin) < 0:
        return len(text)
    match = _UNFINISHED.search(text, begin)
    if match is None:
        return len(text)
    return match.start() if match[0][0] == "\\" else _begin_of_last(match)


def _begin_of_last(run: re.Match[str]) -> int:
    """Where the last bytes of a URL begin that may be part of one unfinished character of UTF-8: never within a character."""
    escapes = list(_ONE_UNFINISHED.finditer(run[0]))
    begins = [each.start() for each in escapes if _CONTINUES.search(each[0]) is None]
    return run.start() + (begins[0] if begins else escapes[-1].start())


def has_escapes(text: str) -> bool:
    """Whether decoding could change what a detector sees."""
    return ("\\" in text or "%" in text) and _ESCAPE.search(text) is not None


def _plain(text: str, begin: int, end: int) -> Sequence[tuple[str, int]]:
    return [(_FOLDING[ord(text[place])], place) for place in range(begin, end)]


def _escaped(escape: str, place: int) -> Sequence[tuple[str, int]]:
    if escape[0] == "%":
        return _percent(escape, place)
    code = escape.lstrip("\\")
    if code[0] != "u":
        return [(_SIMPLE[code], place)]
    units = [int(unit, 16) for unit in re.findall(r"u([0-9a-fA-F]{4})", escape)]
    character = chr(units[0]) if len(units) == 1 else chr(0x10000 + ((units[0] & 0x3FF) << 10) + (units[1] & 0x3FF))
    return [(_without_borders(_FOLDING[ord(character)]), place)]


def _percent(run: str, place: int) -> list[tuple[str, int]]:
    """Bytes, which are characters of UTF-8 where they can be."""
    escapes = [(int(match[0][-2:], 16), place + match.start()) for match in _ONE_PERCENT.finditer(run)]
    cells: list[tuple[str, int]] = []
    at = 0
    while at < len(escapes):
        length = _length_of_character(escapes[at][0])
        raw = bytes(value for value, _ in escapes[at : at + length])
        try:
            character = raw.decode()
        except UnicodeDecodeError:
            character, length = "\ufffd", 1
        cells.append((_without_borders(_FOLDING[ord(character)]), escapes[at][1]))
        at += length
    return cells


def _length_of_character(lead: int) -> int:
    return 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4  # noqa: PLR2004 (as UTF-8 has it)


def _without_borders(folded: str) -> str:
    """What a caller wrote is never a border."""
    return GAP if folded in {WALL, JOINT} else folded


def _joined(cells: Sequence[tuple[str, int]], length: int) -> View:
    places = array("q", [place for folded, place in cells for _ in folded])
    places.append(length)
    return View("".join(folded for folded, _ in cells).encode("ascii"), places)


def _folded(character: str) -> str:
    """One character as ASCII; at least one character, so that every place has a byte."""
    code = ord(character)
    if code < _FIRST_NOT_ASCII:
        return chr(_ASCII[code])
    if (plain := _PLAIN.get(character)) is not None:
        return plain
    category = unicodedata.category(character)
    if category in _INVISIBLE or character in _INVISIBLE_LETTERS:
        return GAP
    if category in {"Zs", "Zl", "Zp"}:
        return " "
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    return "".join(each if each.isascii() else OTHER for each in unicodedata.normalize("NFKC", character)).strip(OTHER) or OTHER
