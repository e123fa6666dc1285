"""Reservation ids: ULIDs, so that ledger entries sort by time."""

from __future__ import annotations

import base64
import os
import time

_CROCKFORD = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUV", b"0123456789abcdefghjkmnpqrstvwxyz")
_LENGTH = 26
_PADDING = 30
"""Bits that make 26 digits of five bits a whole number of bytes."""


_RANDOM = 10
_POOL = 1000 * _RANDOM


class ReservationIds:
    """Makes ids: 48 bits of milliseconds and 80 random bits, in Crockford's base 32; in small letters, as in resource names.

    Randomness is drawn in bulk: each draw lets other threads of the process run first, which costs more than the id.
    """

    def __init__(self) -> None:
        self._pool = b""
        self._place = 0

    def next(self) -> str:
        """A fresh one."""
        if self._place + _RANDOM > len(self._pool):
            self._pool, self._place = os.urandom(_POOL), 0
        random = self._pool[self._place : self._place + _RANDOM]
        self._place += _RANDOM
        number = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(random, "big")
        digits = base64.b32hexencode((number << _PADDING).to_bytes(20, "big"))[:_LENGTH]
        return digits.translate(_CROCKFORD).decode("ascii")
