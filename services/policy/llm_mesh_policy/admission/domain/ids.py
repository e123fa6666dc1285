"""Unguessable ids, cut from random bytes that are fetched by the page.

Each call to the system for random bytes lets other threads run first, which a request would wait for.
"""

import os

_PAGE = 4096
_CHARACTERS = 32
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BITS = 80


def ulid(milliseconds: int, random: str) -> str:
    """A ULID of a time since 1970 UTC and at least 20 hexadecimal characters, in the spelling of reservations."""
    number = milliseconds << _RANDOM_BITS | int(random[: _RANDOM_BITS // 4], 16)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


class Ids:
    """Makes ids of 128 bits in hexadecimal. A process that was forked begins a page of its own."""

    def __init__(self) -> None:
        self._page = ""
        self._at = 0
        self._process = 0

    def fresh(self) -> str:
        """An id that nobody has had before."""
        if self._at >= len(self._page) or self._process != os.getpid():
            self._page, self._at, self._process = os.urandom(_PAGE).hex(), 0, os.getpid()
        begin = self._at
        self._at += _CHARACTERS
        return self._page[begin : self._at]
