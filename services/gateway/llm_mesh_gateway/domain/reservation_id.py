"""Reservation ids: ULIDs, so that ledger entries sort by time."""

from __future__ import annotations

import base64
import os
import time

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_CROCKFORD = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUV", _LETTERS.encode())
_DIGITS = 16
"""Digits of ten random bytes."""
_POOL = 1000 * 10


class ReservationIds:
    """Makes ids: 48 bits of milliseconds and 80 random bits, in Crockford's base 32; in small letters, as in resource names.

    The first eight digits hold for 1,024 ms. Randomness is drawn in bulk: each draw lets other threads of the process run first,
    which costs more than the id.
    """

    def __init__(self) -> None:
        self._pool = ""
        self._place = 0
        self._second = -1
        self._prefix = ""

    def next(self) -> str:
        """A fresh one."""
        second, rest = divmod(time.time_ns() // 1_000_000, 1024)
        if second != self._second:
            self._second, self._prefix = second, _digits(second.to_bytes(5, "big"))
        begin = self._place
        if begin == len(self._pool):
            self._pool, begin = _digits(os.urandom(_POOL)), 0
        self._place = begin + _DIGITS
        return self._prefix + _LETTERS[rest >> 5] + _LETTERS[rest & 31] + self._pool[begin : self._place]


def _digits(raw: bytes) -> str:
    """A multiple of five bytes in digits of five bits."""
    return base64.b32hexencode(raw).translate(_CROCKFORD).decode("ascii")
