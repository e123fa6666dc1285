"""Frames of AWS's event streams: lengths, headers, payload, and two checksums."""

import struct
from binascii import crc32
from typing import Final

MEDIA_TYPE: Final = b"application/vnd.amazon.eventstream"
_STRING: Final = 7


def event(kind: str, payload: bytes) -> bytes:
    """The frame of something that happens in the answer."""
    return _frame(payload, ((b":event-type", kind.encode()), (b":content-type", b"application/json"), (b":message-type", b"event")))


def failure(kind: str, payload: bytes) -> bytes:
    """The frame of what breaks the answer off."""
    return _frame(payload, ((b":exception-type", kind.encode()), (b":content-type", b"application/json"), (b":message-type", b"exception")))


def damaged(frame: bytes) -> bytes:
    """A frame whose checksum is wrong."""
    return frame[:-1] + bytes([frame[-1] ^ 1])


def _frame(payload: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    encoded = b"".join(struct.pack(">B", len(name)) + name + struct.pack(">BH", _STRING, len(value)) + value for name, value in headers)
    lengths = struct.pack(">II", 16 + len(encoded) + len(payload), len(encoded))
    begun = lengths + struct.pack(">I", crc32(lengths)) + encoded + payload
    return begun + struct.pack(">I", crc32(begun))
