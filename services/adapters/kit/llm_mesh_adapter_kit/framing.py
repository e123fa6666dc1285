"""The port of framings: how the frames of a streamed answer lie in its bytes. Each dialect names the framing of its provider.

A framing knows nothing of what a frame means, and a dialect nothing of how it was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

MOST_BYTES = 4 * 1024 * 1024
"""Bytes that one frame may have."""

Frame: TypeAlias = tuple[bytes, str]
"""One frame: its data, and the name of its kind, empty where the framing has none. A plain pair: streams have many of them."""


class FramingError(ValueError):
    """The bytes are no frames: PROVIDER_MALFORMED. The argument says why, without what arrived."""

    frames: Sequence[Frame] = ()
    """The frames that the same bytes completed before."""


class FrameTooLargeError(FramingError):
    """A frame without an end in sight."""


class FrameParser(Protocol):
    """Reads the frames of one answer, however its bytes are split. It MUST bound what it holds of an unfinished frame."""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete. Raises `FramingError`."""

    def rest(self) -> list[Frame]:
        """What the end of the body completes: a last frame of which nothing but its end mark is missing. Raises `FramingError`."""


class Framing(Protocol):
    """One framing, such as server-sent events. It has no state of its own."""

    @property
    def media_types(self) -> tuple[str, ...]:
        """How the `content-type` of a streamed answer begins. An answer without a `content-type` counts as streamed."""

    @property
    def parser(self) -> Callable[[], FrameParser]:
        """Makes the parser of one answer."""

    def recognises(self, content_type: str, body: bytes) -> bool:
        """Whether a whole body is a stream all the same: some servers stream where a whole answer was requested."""
