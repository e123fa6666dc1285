"""How many values the JSON of a body has, counted before anything is made of them: a few bytes of it can be a large object."""

from __future__ import annotations

import re

_SLICE = 256 * 1024
_COUNTED = b",[{"
_STRING = re.compile(rb'(?:[^"\\]++|\\.){1,1000}+', re.DOTALL)
_STRUCTURE = bytes(set(range(256)) - set(_COUNTED))


def has_more_values(raw: bytes, most: int) -> bool:
    """Whether there are more values than that. Nothing here holds the interpreter for long: strings are passed over in pieces."""
    return _at_most(raw, most) > most and _counted(raw, most) > most


def _at_most(raw: bytes, most: int) -> int:
    """The bytes that come before a value, those in strings included."""
    count = 1
    for begin in range(0, len(raw), _SLICE):
        count += len(raw[begin : begin + _SLICE].translate(None, _STRUCTURE))
        if count > most:
            break
    return count


def _counted(raw: bytes, most: int) -> int:
    count, at = 1, 0
    while count <= most:
        quote = raw.find(b'"', at)
        end = len(raw) if quote < 0 else quote
        for begin in range(at, end, _SLICE):
            count += len(raw[begin : min(end, begin + _SLICE)].translate(None, _STRUCTURE))
        if quote < 0:
            break
        at = quote + 1
        while (match := _STRING.match(raw, at)) is not None:
            at = match.end()
        at += 1
    return count
