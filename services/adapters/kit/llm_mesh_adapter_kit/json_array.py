"""A stream that is one JSON array of objects, however its bytes are split: each item is a frame as soon as its last bracket came.

Providers of Google's kind answer so where nobody asks for server-sent events, and proxies where they drop the wish. A body that is one
object, such as a complaint, is one frame. `EVENTS_OR_ARRAY` is for providers that answer in either way: the first byte tells.
"""

from __future__ import annotations

import re
from typing import Final

from llm_mesh_adapter_kit.framing import MOST_BYTES, Frame, FrameParser, FrameTooLargeError, FramingError
from llm_mesh_adapter_kit.sse import SSE, EventParser

_MEDIA_TYPE: Final = "application/json"
_BOM: Final = b"\xef\xbb\xbf"
_SPACE: Final = b" \t\r\n"
_MARK: Final = re.compile(rb'["{}\[\]]')
_OPENING: Final = b"{["
_GAP: Final = re.compile(rb"[ \t\r\n]*+")
_GAP_OF_ITEMS: Final = re.compile(rb"[ \t\r\n,]*+")
_MOST_ITEMS: Final = 200_000
"""Items of one answer: empty ones of three bytes each would take thirty times that much memory."""
_END_OF_TEXT: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_QUOTE, _BACKSLASH = b'"', b"\\"


class JsonArrayParser:
    """Implements `FrameParser`. Each byte is looked at once, but for those of a text that is cut."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_items: int = _MOST_ITEMS) -> None:
        self._most = most_bytes
        self._items_left = most_items
        self._held = bytearray()
        self._begin = 0
        """Where the item begins in what is held."""
        self._at = 0
        """Up to where what is held has been looked at."""
        self._depth = 0
        """How many brackets of the item are open."""
        self._in_text = False
        self._in_array = False
        self._over = False
        self._first = True

    def feed(self, data: bytes) -> list[Frame]:
        """The items that these bytes complete."""
        self._held += data
        frames: list[Frame] = []
        try:
            while self._within(frames) if self._depth else self._between():
                pass
            done = self._begin if self._depth else self._at
            del self._held[:done]  # once for all items of these bytes
            self._begin, self._at = 0, self._at - done
            if len(self._held) > self._most:
                raise FrameTooLargeError("an item of the array is larger than it may be")
        except FramingError as error:
            error.frames = frames
            raise
        return frames

    def rest(self) -> list[Frame]:
        """Nothing: an item without its end is none."""
        if self._held:
            raise FramingError("the body ended within an item of its array")
        return []

    def _between(self) -> bool:
        """Passes over what stands between items; whether an item begins."""
        if self._first:
            if len(self._held) < len(_BOM) and _BOM.startswith(self._held):
                return False  # the rest of it may come
            self._first = False
            self._at = len(_BOM) if self._held.startswith(_BOM) else 0
        gap = (_GAP_OF_ITEMS if self._in_array else _GAP).match(self._held, self._at)
        self._at = self._at if gap is None else gap.end()
        sign = bytes(self._held[self._at : self._at + 1])
        if not sign:
            return False
        if self._over or (sign == b"]" and not self._in_array):
            raise FramingError("something stands where no item may")
        if sign == b"]" or (sign == b"[" and not self._in_array):
            self._over, self._in_array = sign == b"]", sign == b"["
            self._at += 1
            return True
        if sign != b"{":
            raise FramingError("an item of the array is no object")
        self._start_item()
        return True

    def _start_item(self) -> None:
        self._items_left -= 1
        if self._items_left < 0:
            raise FrameTooLargeError("the array has more items than it may have")
        self._depth, self._begin = 1, self._at
        self._at += 1

    def _within(self, frames: list[Frame]) -> bool:
        """Passes over the next bracket or text of the item; whether there is one."""
        if self._in_text:
            end = _END_OF_TEXT.match(self._held, self._at)
            if end is None:
                return self._keep_place_in_text()
            self._in_text, self._at = False, end.end()
            return True
        mark = _MARK.search(self._held, self._at)
        if mark is None:
            self._at = len(self._held)
            return False
        self._at = mark.end()
        if mark[0] == _QUOTE:
            self._in_text = True
        else:
            self._depth += 1 if mark[0] in _OPENING else -1
        if not self._depth:
            frames.append((bytes(self._held[self._begin : self._at]), ""))
            self._over = not self._in_array
        return True

    def _keep_place_in_text(self) -> bool:
        """A text that is cut is gone on with behind its last whole escape."""
        inside = self._held[self._at :]
        escaped = (len(inside) - len(inside.rstrip(_BACKSLASH))) % 2
        self._at = len(self._held) - escaped
        return False


class _EitherParser:
    """Implements `FrameParser`: an array or an object by its first byte, else server-sent events."""

    def __init__(self) -> None:
        self._parser: FrameParser | None = None
        self._begin = b""
        """What may be the begin of a byte order mark."""
        self._first = True

    def feed(self, data: bytes) -> list[Frame]:
        """See `FrameParser`. White space before the first byte is not held, however much of it comes."""
        if self._parser is None:
            if self._first:
                data = self._begin + data
                self._first = len(data) < len(_BOM) and _BOM.startswith(data)
                self._begin = data if self._first else b""
                if self._first:
                    return []
                data = data.removeprefix(_BOM)
            data = data.lstrip(_SPACE)
            if not data:
                return []
            self._parser = JsonArrayParser() if data[:1] in {b"[", b"{"} else EventParser()
        return self._parser.feed(data)

    def rest(self) -> list[Frame]:
        """See `FrameParser`."""
        return [] if self._parser is None else self._parser.rest()


class EventsOrArray:
    """Implements `Framing`."""

    __slots__ = ()

    media_types: Final = (*SSE.media_types, _MEDIA_TYPE)

    @property
    def parser(self) -> type[_EitherParser]:
        """See `Framing`."""
        return _EitherParser

    def recognises(self, content_type: str, body: bytes) -> bool:
        """An array, or events, where one object was requested."""
        return SSE.recognises(content_type, body) or body.lstrip()[:1] == b"["


EVENTS_OR_ARRAY: Final = EventsOrArray()
