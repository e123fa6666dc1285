"""How messages of gRPC lie in bytes: a flag, a length, the message. The status of the call comes last, as gRPC-Web writes it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from llm_mesh_adapter_kit.framing import Frame, FrameParser, FrameTooLargeError, FramingError

MEDIA_TYPE: Final = "application/grpc"
TRAILERS: Final = "trailers"
"""The kind of the frame that ends a call which failed."""
MOST_BYTES: Final = 32 * 1024 * 1024
"""Of one message."""
_HEAD: Final = struct.Struct(">BI")
_MESSAGE: Final = 0
_TRAILERS: Final = 0x80


class RpcStatus(NamedTuple):
    """How a call ended."""

    code: int
    """Of gRPC, such as 14 for UNAVAILABLE."""
    message: str = ""


def framed(*messages: bytes) -> bytes:
    """Messages, one after the other."""
    return b"".join(_HEAD.pack(_MESSAGE, len(message)) + message for message in messages)


def framed_status(status: RpcStatus) -> bytes:
    """The status of a call that failed."""
    text = f"grpc-status: {status.code}\r\ngrpc-message: {quote(status.message, safe=' ')}\r\n".encode()
    return _HEAD.pack(_TRAILERS, len(text)) + text


def status_of(trailers: bytes) -> RpcStatus:
    """What the last frame says."""
    fields = dict(line.split(": ", 1) for line in trailers.decode("latin-1").split("\r\n") if ": " in line)
    return RpcStatus(int(fields["grpc-status"]), unquote(fields.get("grpc-message", "")))


def frames_of(body: bytes) -> list[Frame]:
    """All frames of a whole body. Raises `FramingError`."""
    parser = RpcParser()
    return [*parser.feed(body), *parser.rest()]


class RpcParser:
    """Implements `FrameParser`."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete."""
        self._buffer += data
        frames: list[Frame] = []
        try:
            for frame in self._complete():
                frames.append(frame)  # noqa: PERF402 - what came before a failure holds
        except FramingError as error:
            error.frames = frames
            raise
        return frames

    def rest(self) -> list[Frame]:
        """Nothing may be left."""
        if self._buffer:
            raise FramingError("a message ended before its end")
        return []

    def _complete(self) -> Iterator[Frame]:
        while len(self._buffer) >= _HEAD.size:
            flag, length = _HEAD.unpack_from(self._buffer)
            if flag not in {_MESSAGE, _TRAILERS}:
                raise FramingError("a message with a flag that is not known")
            if length > MOST_BYTES:
                raise FrameTooLargeError(f"a message of more than {MOST_BYTES} bytes")
            end = _HEAD.size + length
            if len(self._buffer) < end:
                return
            message = bytes(self._buffer[_HEAD.size : end])
            del self._buffer[:end]
            yield message, TRAILERS if flag == _TRAILERS else ""


class RpcFraming:
    """Implements `Framing`."""

    media_types: tuple[str, ...] = (MEDIA_TYPE,)
    parser: Callable[[], FrameParser] = RpcParser

    def recognises(self, content_type: str, body: bytes) -> bool:
        """Whole answers have the same frames."""
        del body
        return content_type.startswith(MEDIA_TYPE)


RPC: Final = RpcFraming()
