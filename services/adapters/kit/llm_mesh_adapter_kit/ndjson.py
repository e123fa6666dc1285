"""Lines of JSON, one value in each, however their bytes are split (https://github.com/ndjson/ndjson-spec).

Lines end with LF or CRLF; empty ones are skipped. Data stays bytes: no line end lies inside of a character.
"""

from __future__ import annotations

from typing import Final

from llm_mesh_adapter_kit.framing import MOST_BYTES, Frame, FrameTooLargeError, FramingError

_BOM = b"\xef\xbb\xbf"
_MEDIA_TYPES: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_SLICE = 64 * 1024
"""So much is split at once: few bytes can be many lines."""
_BETWEEN: Final = (b"}\n{", b"}\r\n{")


class NdjsonLines:
    """Implements `Framing`."""

    __slots__ = ()

    media_types: Final = _MEDIA_TYPES

    @property
    def parser(self) -> type[LineParser]:
        """See `Framing`."""
        return LineParser

    def recognises(self, content_type: str, body: bytes) -> bool:
        """By its type or, where a server gives another, by an object that ends at a line's end before one that begins."""
        return content_type.startswith(_MEDIA_TYPES) or any(each in body for each in _BETWEEN)


class LineParser:
    """Implements `FrameParser`."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._pieces: list[bytes] = []
        self._held = 0
        self._first = True

    def feed(self, data: bytes) -> list[Frame]:
        """The lines that these bytes complete."""
        if len(data) <= _SLICE:
            return self._split(data)
        lines: list[Frame] = []
        for begin in range(0, len(data), _SLICE):
            try:
                lines += self._split(data[begin : begin + _SLICE])
            except FramingError as error:
                error.frames = [*lines, *error.frames]
                raise
        return lines

    def rest(self) -> list[Frame]:
        """The last line, where the body ended in good order and only its line end is missing."""
        last = self._joined(b"").strip()
        return [(last, "")] if last else []

    def _split(self, data: bytes) -> list[Frame]:
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = self._joined(lines[0])
        frames = [(line, "") for each in lines if (line := each.strip())]
        try:
            self._hold(rest)
        except FramingError as error:
            error.frames = frames
            raise
        return frames

    def _joined(self, end: bytes) -> bytes:
        """The line that these bytes end."""
        if self._held + len(end) > self._most:
            raise FrameTooLargeError("a line is longer than it may be")
        line = b"".join((*self._pieces, end)) if self._pieces else end
        self._pieces.clear()
        self._held = 0
        if self._first and line:
            self._first = False
            line = line.removeprefix(_BOM)
        return line

    def _hold(self, data: bytes) -> None:
        if not data:
            return
        self._held += len(data)
        if self._held > self._most:
            raise FrameTooLargeError("a line is longer than it may be")
        self._pieces.append(data)


NDJSON: Final = NdjsonLines()
