"""JSON text as it stands: where its strings, keys and numbers are. Nothing is built of it, however deep or long it is."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_NEXT = re.compile(r'[ \t\r\n,:\[\]{}]*+(?:(")|(-?[0-9][0-9.eE+-]*+)|([^ \t\r\n,:\[\]{}"]++))')
_PIECE = re.compile(r'(?:[^"\\]++|\\.){1,1000}+', re.DOTALL)
"""Of a string: a bounded one, since the interpreter does nothing else meanwhile."""
_KEY = re.compile(r"[ \t\r\n]*+:")
_STRUCTURE = " \t\r\n,:[]{}"
_SEPARATORS = ",:[]{}"
_WORDS = frozenset({"true", "false", "null"})
STRING, KEY, NUMBER = 0, 1, 2


class Token(NamedTuple):
    """A string or key without its quotes, or a number."""

    kind: int
    start: int
    end: int


class NotJsonError(Exception):
    """The text is no JSON."""


def tokens(text: str) -> Iterator[Token]:
    """The strings, keys and numbers, in their order. NotJsonError where the text is something else."""
    at, first = 0, True
    while (match := _NEXT.match(text, at)) is not None:
        start = match.start(match.lastindex or 0)
        if not (first or any(each in text[at:start] for each in _SEPARATORS) or text[at - 1] == ":"):
            raise NotJsonError
        first = False
        if match[1] is not None:
            end = _end_of_string(text, start + 1)
            key = _KEY.match(text, end + 1)
            at = key.end() if key else end + 1
            yield Token(KEY if key else STRING, start + 1, end)
            continue
        at = match.end()
        if match[2] is not None:
            yield Token(NUMBER, start, at)
        elif match[3] not in _WORDS:
            raise NotJsonError
    if text[at:].strip(_STRUCTURE):
        raise NotJsonError


def _end_of_string(text: str, at: int) -> int:
    while (match := _PIECE.match(text, at)) is not None:
        at = match.end()
    if at >= len(text) or text[at] != '"':
        raise NotJsonError
    return at
