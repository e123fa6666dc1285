"""Frames of AWS's event streams, encoded as the specification says, and some that are not."""

from __future__ import annotations

import json
import struct
from binascii import crc32

MEDIA_TYPE = b"content-type: application/vnd.amazon.eventstream"
STRING = 7


def frame(payload: bytes, headers: dict[str, str]) -> bytes:
    """One frame."""
    encoded = b"".join(
        bytes([len(name)]) + name.encode() + bytes([STRING]) + struct.pack(">H", len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    return framed(encoded, payload)


def framed(headers: bytes, payload: bytes) -> bytes:
    """One frame with these bytes as headers."""
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    begun = lengths + struct.pack(">I", crc32(lengths)) + headers + payload
    return begun + struct.pack(">I", crc32(begun))


def event(kind: str, value: object) -> bytes:
    """An event."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return frame(json.dumps(value, ensure_ascii=False).encode(), headers)


def failure(kind: str, value: object) -> bytes:
    """A failure within the stream."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(json.dumps(value).encode(), headers)
