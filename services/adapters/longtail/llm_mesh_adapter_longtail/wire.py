"""What passes between an adapter and the process of its library: frames of a length, a kind, the number of a call, and bytes."""

from __future__ import annotations

import enum
import struct
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

_HEAD: Final = struct.Struct("!IBI")
LONGEST: Final = 48 * 1024 * 1024
"""Bytes of one frame. A request of 32 MiB fits, as JSON."""
PIECE: Final = 64 * 1024
"""Bytes of an answer in one frame."""
WINDOW: Final = 4
"""Pieces of one answer that may be under way: then the process waits until one of them is read."""


class FrameKind(enum.IntEnum):
    """What a frame is. Those up to PING go to the process, the others come from it."""

    CALL = 1
    """A line of JSON with the target, and the arguments."""
    READ = 2
    """One more piece of the answer has been read."""
    CANCEL = 3
    PING = 4
    READY = 10
    """The library is loaded; with its version."""
    HEAD = 11
    """JSON: `status`, `stream`, `headers`."""
    PIECE = 12
    END = 13
    PONG = 14
    REFUSED = 15
    """What the library was about to do, and may not, in words."""


class FrameError(Exception):
    """What came is no frame."""


class WireFrame(NamedTuple):
    """A message between adapter and process; `call` is the number of the call that it is about, 0 for none."""

    kind: FrameKind
    call: int
    data: bytes


def packed(kind: FrameKind, call: int = 0, data: bytes = b"") -> bytes:
    """A frame, as it travels."""
    return _HEAD.pack(len(data), kind, call) + data


def head_of(data: bytes) -> Mapping[str, Any]:
    """The head of an answer. Raises `FrameError`."""
    try:
        head = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise FrameError("a head that is not JSON") from None
    if not isinstance(head, dict) or not isinstance(head.get("status"), int) or not isinstance(head.get("headers", {}), dict):
        raise FrameError("a head without a status")
    return head


class FrameBuffer:
    """Cuts what arrives into frames."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[WireFrame]:
        """The frames that are whole now. Raises `FrameError`."""
        self._held += data
        frames = []
        while len(self._held) >= _HEAD.size:
            size, kind, call = _HEAD.unpack_from(self._held)
            if size > LONGEST:
                raise FrameError(f"a frame of {size} bytes")
            end = _HEAD.size + size
            if len(self._held) < end:
                break
            try:
                frames.append(WireFrame(FrameKind(kind), call, bytes(self._held[_HEAD.size : end])))
            except ValueError:
                raise FrameError(f"a frame of kind {kind}") from None
            del self._held[:end]
        return frames
