"""What travels between a process and its children: frames of byte strings. Light, since child processes load it."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_COUNT = struct.Struct("<I")
LENGTH = struct.Struct("<Q")
"""Before each frame: how many bytes it has."""
NOTICE = struct.Struct("<cii")
"""Between a process and its zygote: a kind, a process id, and a status."""
MOST_BYTES = 64 * 1024 * 1024
"""The longest frame."""

FORK, KILL, ENDED = b"f", b"k", b"e"
OK, MEMORY, DEPTH, FAULT, LAST = b"+", b"m", b"d", b"!", b"l"
"""The first part of an answer: how the call ended. LAST: well, but the child has grown too large and ends."""


def packed(parts: Sequence[bytes]) -> bytes:
    """A frame of the parts, with its length before it."""
    sizes = b"".join(_COUNT.pack(len(part)) for part in parts)
    size = _COUNT.size + len(sizes) + sum(map(len, parts))
    return b"".join((LENGTH.pack(size), _COUNT.pack(len(parts)), sizes, *parts))


def unpacked(frame: bytes) -> list[bytes]:
    """The parts of a frame, without its length. Raises `ValueError` where it is none: what a child sends is not trusted."""
    try:
        (count,) = _COUNT.unpack_from(frame)
        begin = _COUNT.size * (count + 1)
        if begin > len(frame):
            raise ValueError("a frame is shorter than it says")
        parts = []
        for number in range(count):
            (size,) = _COUNT.unpack_from(frame, _COUNT.size * (number + 1))
            parts.append(frame[begin : begin + size])
            begin += size
    except struct.error as error:
        raise ValueError("a frame is shorter than it says") from error
    if begin != len(frame):
        raise ValueError("a frame is not as long as it says")
    return parts
