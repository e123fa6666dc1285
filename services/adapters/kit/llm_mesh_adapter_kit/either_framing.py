"""Server-sent events or AWS's event streams, whichever comes: one dialect may be spoken at its maker and at a cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llm_mesh_adapter_kit.event_stream import EVENT_STREAM, EventStreamParser
from llm_mesh_adapter_kit.framing import Frame, FrameParser
from llm_mesh_adapter_kit.sse import SSE

_BINARY: Final = b"\0"
"""What each frame of AWS begins with, since it is shorter than 16 MiB; no line of text does."""


class EitherParser:
    """Implements `FrameParser`: the first byte tells."""

    def __init__(self) -> None:
        self._chosen: FrameParser | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """See `FrameParser`."""
        if self._chosen is None:
            if not data:
                return []
            self._chosen = EventStreamParser() if data[:1] == _BINARY else SSE.parser()
        return self._chosen.feed(data)

    def rest(self) -> list[Frame]:
        """See `FrameParser`."""
        return self._chosen.rest() if self._chosen is not None else []


class EitherFraming:
    """Implements `Framing`."""

    media_types = (*SSE.media_types, *EVENT_STREAM.media_types)
    parser: Callable[[], FrameParser] = EitherParser

    def recognises(self, content_type: str, body: bytes) -> bool:
        """Whether a whole body is a stream all the same."""
        return SSE.recognises(content_type, body) or EVENT_STREAM.recognises(content_type, body)


EITHER: Final = EitherFraming()
