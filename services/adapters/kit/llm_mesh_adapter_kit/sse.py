"""Server-sent events from bytes, however they are split.

Lines end with CR, LF or CRLF; comments and unknown fields are skipped; an event that is not ended by an empty line is none
(https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation). Data stays bytes: no line end lies inside
of a character, so that a whole event is always whole UTF-8, and the JSON parser checks it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from llm_mesh_adapter_kit.framing import MOST_BYTES, Frame, FrameTooLargeError, FramingError

_BOM = b"\xef\xbb\xbf"
_DATA = b"data: "
_END = b"\n\n"
_MOST_REST = 4 * 1024
_MEDIA_TYPE: Final = "text/event-stream"
_BEGINNINGS: Final = (b"data:", b"event:")
_TOO_LARGE: Final = "an event is larger than it may be"


class ServerSentEvents:
    """Implements `Framing`."""

    __slots__ = ()

    media_types: Final = (_MEDIA_TYPE,)

    @property
    def parser(self) -> type[EventParser]:
        """See `Framing`."""
        return EventParser

    def recognises(self, content_type: str, body: bytes) -> bool:
        """By its type or, where a server gives another, by its begin."""
        return content_type.startswith(_MEDIA_TYPE) or body.lstrip()[:6].startswith(_BEGINNINGS)


class EventParser:
    """Implements `FrameParser`."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._pieces: list[bytes] = []
        self._held = 0
        self._after_cr = False
        self._first = True
        self._data: list[bytes] = []
        self._size = 0
        self._name = ""

    def feed(self, data: bytes) -> list[Frame]:
        """The events that these bytes complete."""
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if not data:
            return []
        if b"\n" not in data and b"\r" not in data:
            self._hold(data)
            return []
        held = b"".join((*self._pieces, data)) if self._pieces else data
        self._pieces.clear()
        self._held = 0
        if self._first:
            self._first = False
            held = held.removeprefix(_BOM)
        if b"\r" in data or self._data or self._name:
            return self._by_lines(held)
        return self._by_frames(held)

    def rest(self) -> list[Frame]:
        """The last event, where the body ended in good order and only the empty line behind it is missing."""
        last = b"".join(self._pieces)
        self._pieces.clear()
        events = self._events([*last.splitlines(keepends=True), b"\n"])
        return [event for event in events if event[0]]

    def _by_frames(self, data: bytes) -> list[Frame]:
        """The short way of nearly every stream: lines end with a line feed, events are a line of data, perhaps after one with a name."""
        cut = data.rfind(_END) + len(_END)
        whole, rest = data[:cut], data[cut:]
        lines = whole[len(_DATA) : -len(_END)].split(_END + _DATA)
        if whole.startswith(_DATA) and b"\n" not in b"".join(lines) and len(data) <= self._most:  # to find none is cheaper than to count
            events = [(line, "") for line in lines]  # the only line feeds are those that were split at: each is one line of data
        else:
            frames = data.split(_END)
            rest = frames.pop()
            if len(data) > self._most:
                self._refuse_large(frames)
            events = self._of_frames(frames)
        if len(rest) > _MOST_REST and b"\n" in rest:
            try:
                return events + self._by_lines(rest)  # an event of many lines: joining them again at each read would take ever longer
            except FramingError as error:
                error.frames = [*events, *error.frames]
                raise
        if rest:
            self._hold(rest, events)
        return events

    def _refuse_large(self, frames: list[bytes]) -> None:
        """Fails with the events before the first that is too large, if one is."""
        place = next((place for place, frame in enumerate(frames) if len(frame) > self._most), None)
        if place is not None:
            error = FrameTooLargeError(_TOO_LARGE)
            error.frames = self._of_frames(frames[:place])
            raise error

    def _of_frames(self, frames: list[bytes]) -> list[Frame]:
        events: list[Frame] = []
        for frame in frames:
            if frame.startswith(_DATA) and b"\n" not in frame:
                events.append((frame[6:], ""))
            elif frame.startswith(b"event: ") and frame.count(b"\n") == 1 and b"\ndata: " in frame:
                name, _, line = frame.partition(b"\n")
                events.append((line[6:], name[7:].decode("utf-8", "replace")))
            else:
                events += self._events((frame + _END).splitlines(keepends=True), events)
        return events

    def _by_lines(self, data: bytes) -> list[Frame]:
        lines = data.splitlines(keepends=True)
        last = lines[-1]
        self._after_cr = last.endswith(b"\r")
        rest = b"" if last.endswith((b"\r", b"\n")) else lines.pop()
        events = self._events(lines)
        if rest:
            self._hold(rest, events)
        return events

    def _events(self, lines: list[bytes], before: Sequence[Frame] = ()) -> list[Frame]:
        """The events that the lines complete. `before` are those of the same bytes."""
        events: list[Frame] = []
        try:
            self._read_lines(lines, events)
        except FramingError as error:
            error.frames = [*before, *events]
            raise
        return events

    def _read_lines(self, lines: list[bytes], events: list[Frame]) -> None:
        for ended in lines:
            line = ended.rstrip(b"\r\n")
            if not line:
                if self._data:
                    events.append((b"\n".join(self._data), self._name))
                    self._data = []
                    self._size = 0
                self._name = ""
            else:
                self._field(line)

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(value) + 1
            self._check(self._size)
            self._data.append(value)
        elif name == b"event":
            self._name = value.decode("utf-8", "replace")

    def _check(self, size: int) -> None:
        if size > self._most:
            raise FrameTooLargeError(_TOO_LARGE)

    def _hold(self, data: bytes, events: Sequence[Frame] = ()) -> None:
        """Keeps the begin of a line. `events` are what the same bytes completed before it."""
        self._held += len(data)
        if self._held > self._most:
            error = FrameTooLargeError("a line is longer than an event may be")
            error.frames = events
            raise error
        self._pieces.append(data)


SSE: Final = ServerSentEvents()
