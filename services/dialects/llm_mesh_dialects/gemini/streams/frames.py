"""How a stream of chunks stands in a body: server-sent events with `?alt=sse`, and one JSON array without it."""

from __future__ import annotations

from typing import Protocol


class Frames(Protocol):
    """Puts chunks into one body."""

    def frame(self, chunk: bytes) -> bytes:
        """A chunk as it is written."""

    def end(self) -> bytes:
        """What stands behind the last one."""


class EventFrames:
    """An event for each chunk. Nothing says that none follows."""

    def frame(self, chunk: bytes) -> bytes:
        """A chunk as an event."""
        return b"data: " + chunk + b"\n\n"

    def end(self) -> bytes:
        """Empty: such a stream just ends."""
        return b""


class ArrayFrames:
    """An item of an array for each chunk."""

    def __init__(self) -> None:
        self._before = b"["

    def frame(self, chunk: bytes) -> bytes:
        """A chunk as an item."""
        before, self._before = self._before, b",\r\n"
        return before + chunk

    def end(self) -> bytes:
        """The bracket that closes the array, and the one that opens it where there was no chunk."""
        return b"[]" if self._before == b"[" else b"]"
