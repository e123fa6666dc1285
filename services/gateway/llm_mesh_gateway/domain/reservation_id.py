"""Reservation ids: ULIDs, so that ledger entries sort by time."""

from __future__ import annotations

import base64
import os
import time

_CROCKFORD = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUV", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_LENGTH = 26
_PADDING = 30
"""Bits that make 26 digits of five bits a whole number of bytes."""


def new_reservation_id() -> str:
    """48 bits of milliseconds and 80 random bits, in Crockford's base 32."""
    number = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10), "big")
    digits = base64.b32hexencode((number << _PADDING).to_bytes(20, "big"))[:_LENGTH]
    return digits.translate(_CROCKFORD).decode("ascii")
