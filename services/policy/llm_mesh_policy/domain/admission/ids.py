"""Unguessable ids, cut from random bytes that are fetched by the page.

Each call to the system for random bytes lets other threads run first, which a request would wait for.
"""

import os

_PAGE = 4096
_CHARACTERS = 32


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
