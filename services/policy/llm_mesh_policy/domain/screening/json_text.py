"""JSON text as it stands: where its strings, keys and numbers are. Nothing is built of it, however deep or long it is."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|(-?[0-9][0-9.eE+-]*)|([^\s\[\]{},:"]+)', re.DOTALL)
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
    behind = 0
    first = True
    for match in _TOKEN.finditer(text):
        between = text[behind : match.start()]
        if between.strip(_STRUCTURE) or not (first or any(each in between for each in _SEPARATORS) or text[behind - 1] == ":"):
            raise NotJsonError
        first, behind = False, match.end()
        if match[4] is not None:
            if match[4] not in _WORDS:
                raise NotJsonError
        elif match[3] is not None:
            yield Token(NUMBER, match.start(3), match.end(3))
        else:
            yield Token(KEY if match[2] is not None else STRING, match.start(1), match.end(1))
    if text[behind:].strip(_STRUCTURE):
        raise NotJsonError
