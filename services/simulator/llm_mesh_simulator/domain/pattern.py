"""A short text that matches a regular expression, for the `pattern` of JSON schemas.

Knows literals, classes, groups, alternatives and counts: what schemas use. Anything else gives None.
"""

import re
import warnings
from typing import Final

_CLASSES: Final = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a"}
_ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_CANDIDATES: Final = "a0A-_ .:/@+e1zZ,"
_LONGEST: Final = 64


def matching(pattern: str) -> str | None:
    """The first text found that the pattern matches anywhere, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # what a set such as `[[` may mean one day is the schema's author's concern
            expression = re.compile(pattern)
            text = _Reader(pattern).alternatives()
    except (re.error, ValueError, IndexError, RecursionError):
        return None
    return text if expression.search(text) else None


class _Reader:
    """Reads a pattern from left to right and writes the shortest text that it can think of."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def alternatives(self) -> str:
        text = self._sequence()
        while self._peek() == "|":
            self._at += 1
            self._sequence()
        return text

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self) -> str:
        character = self._pattern[self._at]
        self._at += 1
        return character

    def _sequence(self) -> str:
        parts: list[str] = []
        while self._peek() not in ("", "|", ")"):
            atom = self._atom()
            parts.append(atom * self._repeats())
        return "".join(parts)

    def _atom(self) -> str:
        character = self._take()
        if character in "^$":
            return ""
        if character == ".":
            return "a"
        if character == "\\":
            return self._escape()
        if character == "[":
            return self._set()
        if character == "(":
            return self._group()
        return character

    def _escape(self) -> str:
        character = self._take()
        if character in "bBAZ":
            return ""
        if character.isdigit():
            raise ValueError("back references")
        return _CLASSES.get(character) or _ESCAPES.get(character) or character

    def _set(self) -> str:
        start = self._at - 1
        self._at += 2 if self._pattern[self._at] == "^" else 1
        while self._take() != "]":
            if self._pattern[self._at - 1] == "\\":
                self._at += 1
        members = re.compile(self._pattern[start : self._at])
        candidates: list[str] = [*_CANDIDATES, *map(chr, range(33, 0x250))]
        member = next((each for each in candidates if members.fullmatch(each)), None)
        if member is None:
            raise ValueError("no member found")
        return member

    def _group(self) -> str:
        if self._peek() == "?":
            head = re.compile(r"\?(:|P?<\w+>)").match(self._pattern, self._at)
            if head is None:
                raise ValueError("look-around")
            self._at = head.end()
        text = self.alternatives()
        if self._take() != ")":
            raise ValueError("an open group")
        return text

    def _repeats(self) -> int:
        count = re.compile(r"(\*|\?|\+|\{(\d*)(,\d*)?\})[?+]?").match(self._pattern, self._at)
        if count is None:
            return 1
        self._at = count.end()
        if count[1] in {"*", "?"}:
            return 0
        least = 1 if count[1] == "+" else int(count[2] or 0)
        if least > _LONGEST:
            raise ValueError("too long")
        return least
