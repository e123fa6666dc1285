"""How many values the JSON of a body has, counted before anything is made of them: a few bytes of it can be a large object."""

from __future__ import annotations

import re

from llm_mesh_runtime.pace import Pace, Unpaced

_SLICE = 256 * 1024
_COUNTED = b",[{"
_STRING = re.compile(rb'(?:[^"\\]{1,4096}+|\\.){1,100}+', re.DOTALL)
_STRUCTURE = bytes(set(range(256)) - set(_COUNTED))


def has_more_values(raw: bytes, most: int, *, on_loop: bool = False) -> bool:
    """Whether there are more values than that. Runs in a thread, and lets the event loop have the interpreter, or on the loop itself."""
    return _at_most(raw, most) > most and _counted(raw, most, Unpaced() if on_loop else Pace()) > most


def _at_most(raw: bytes, most: int) -> int:
    """The bytes that come before a value, those in strings included."""
    count = 1
    for begin in range(0, len(raw), _SLICE):
        count += len(raw[begin : begin + _SLICE].translate(None, _STRUCTURE))
        if count > most:
            break
    return count


def _counted(raw: bytes, most: int, pace: Pace) -> int:
    count, at = 1, 0
    while count <= most:
        quote = raw.find(b'"', at)
        end = len(raw) if quote < 0 else quote
        for begin in range(at, end, _SLICE):
            count += len(raw[begin : min(end, begin + _SLICE)].translate(None, _STRUCTURE))
            pace.step()  # within what is between strings
        if quote < 0:
            break
        at = quote + 1
        pace.step()  # after each string
        while (match := _STRING.match(raw, at)) is not None:
            at = match.end()
            pace.step()  # within a string
        at += 1
    return count
