"""AWS's event streams (`application/vnd.amazon.eventstream`): binary frames with two checksums each, decoded by botocore.

The frame of an event is named after its type, such as `contentBlockDelta`; that of a failure within the stream after its word, behind
`FAILURE`. botocore is an optional part, and is loaded with the first stream.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

from llm_mesh_adapter_kit.framing import MOST_BYTES, Frame, FrameParser, FrameTooLargeError, FramingError

MEDIA_TYPE: Final = "application/vnd.amazon.eventstream"
FAILURE: Final = "failure:"
"""What the name of a frame begins with that tells of a failure."""
_JSON: Final = "application/json"
_PRELUDE: Final = 12
"""Bytes of both lengths and of their checksum."""
_LEAST: Final = 16
"""Bytes of a frame without headers and payload."""


class EventStreamParser:
    """Implements `FrameParser`. It hands frames to botocore one by one: all at once would be copied anew for each of them."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        from botocore.eventstream import EventStreamBuffer, ParserError  # noqa: PLC0415 (optional, and 20 ms)

        self._most = most
        self._decoder = EventStreamBuffer()
        self._refusal: type[Exception] = ParserError
        self._held = bytearray()
        self._size = 0
        """Of the frame that has begun, its lengths checked. 0: none has."""

    def feed(self, data: bytes) -> list[Frame]:
        """See `FrameParser`."""
        self._held += data
        frames: list[Frame] = []
        at = 0
        try:
            while (size := self._whole(at)) > 0:
                frames.append(_frame(self._decoded(bytes(self._held[at + _PRELUDE : at + size]))))
                at += size
                self._size = 0
        except FramingError as error:
            error.frames = frames
            raise
        del self._held[:at]
        return frames

    def rest(self) -> list[Frame]:
        """Frames have lengths: one that is not whole is broken."""
        if self._held:
            raise FramingError("the stream ended within a frame")
        return []

    def _whole(self, at: int) -> int:
        """The size of the frame that begins there; 0 where not all of it has come."""
        arrived = len(self._held) - at
        if not self._size and arrived >= _PRELUDE:
            self._begin(bytes(self._held[at : at + _PRELUDE]))
        return self._size if arrived >= self._size else 0

    def _begin(self, prelude: bytes) -> None:
        """Checks the lengths before anything is waited for."""
        size = int.from_bytes(prelude[:4], "big")
        if self._decoded(prelude) is not None or size < _LEAST:
            raise FramingError("a frame is shorter than its own lengths")
        if size > self._most:
            raise FrameTooLargeError("a frame is larger than it may be")
        self._size = size

    def _decoded(self, piece: bytes) -> Any:  # noqa: ANN401 (of a library without types)
        """The message that the bytes complete, if any."""
        self._decoder.add_data(piece)
        try:
            return next(self._decoder, None)
        except self._refusal as error:
            raise FramingError(f"a frame is damaged ({type(error).__name__})") from None
        except (ValueError, LookupError, struct.error) as error:
            raise FramingError(f"a frame has wrong headers ({type(error).__name__})") from None


class EventStreams:
    """Implements `Framing`."""

    media_types = (MEDIA_TYPE,)
    parser: Callable[[], FrameParser] = EventStreamParser

    def recognises(self, content_type: str, body: bytes) -> bool:
        """Whether a whole body is a stream all the same."""
        del body
        return content_type.startswith(MEDIA_TYPE)


EVENT_STREAM: Final = EventStreams()


def _frame(message: Any) -> Frame:  # noqa: ANN401 (of a library without types)
    if message is None:
        raise FramingError("a frame has other lengths than it says")
    headers: Mapping[str, object] = message.headers
    kind = headers.get(":message-type")
    if kind == "error":  # of the connection rather than of the service: the words stand in the headers
        failure = {"message": str(headers.get(":error-message", ""))}
        return json.dumps(failure).encode(), FAILURE + str(headers.get(":error-code", ""))
    word = headers.get({"event": ":event-type", "exception": ":exception-type"}.get(str(kind), ""))
    if not isinstance(word, str) or not word:
        raise FramingError("a frame is neither an event nor a failure")
    content_type = headers.get(":content-type", _JSON)
    if not str(content_type).startswith(_JSON):
        raise FramingError("a frame holds something other than JSON")
    return message.payload, (FAILURE if kind == "exception" else "") + word
