"""What the pipeline wants from a link: the server side of one call, whatever carries it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn, Protocol

import grpc

from llm_mesh_runtime.context import REQUEST_ID, Frame, accepted_request_id

MAX_MESSAGE = 32 * 1024 * 1024


class Transport(Protocol):
    """The part of `grpc.aio.ServicerContext` that the pipeline and handlers use; the local link implements it too."""

    def invocation_metadata(self) -> Any:  # noqa: ANN401 (grpc's metadata type)
        """What the caller sent."""

    def time_remaining(self) -> float | None:
        """Seconds until the caller's deadline; None without one."""

    def peer(self) -> str:
        """Who calls, for logs."""

    def auth_context(self) -> Mapping[str, Any]:
        """What TLS says about the caller."""

    async def send_initial_metadata(self, initial_metadata: Any) -> None:  # noqa: ANN401 (grpc's metadata type)
        """Send the initial metadata now."""

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:  # noqa: ANN401 (grpc's metadata type)
        """Set what is sent with the status."""

    def trailing_metadata(self) -> Any:  # noqa: ANN401 (grpc's metadata type)
        """What is set so far."""

    async def write(self, message: bytes) -> None:
        """Send one message of the answer, waiting while the reader is slow."""

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()) -> NoReturn:  # noqa: ANN401
        """End the call with a status."""


Origin = Callable[[Transport], Frame]
"""How a listener or link reads the metadata and finds out who calls. A deadline is set where the caller has one."""


def arrived(transport: Transport, metadata: Mapping[str, str | bytes], calling: str) -> Frame:
    """A call from another process: its id and its time are what the caller says."""
    remaining = transport.time_remaining()
    deadline = None if remaining is None else time.monotonic() + remaining
    return Frame(accepted_request_id(metadata.get(REQUEST_ID)), deadline, metadata=metadata, calling=calling)


def address_of(transport: Transport) -> str:
    """Where a stranger calls from, without the port: `ipv4:10.0.0.7`."""
    return transport.peer().rpartition(":")[0]


class Own:
    """A transport of the mesh's own links, whose metadata may all be believed: a handler that only answers gets it as it is."""

    __slots__ = ()


class Codec(Protocol):
    """Messages to bytes."""

    def serialise(self, message: Any) -> bytes:  # noqa: ANN401 (any message)
        """The bytes of an answer."""

    @property
    def most(self) -> int:
        """How many bytes a message may have."""

    def too_large(self, what: str) -> Exception:
        """What is raised for one that has more."""


class HandlerContext:
    """What other handlers get: the transport, with messages instead of bytes and without metadata that must not be believed."""

    __slots__ = ("_codec", "_frame", "_requests", "_transport")

    def __init__(
        self,
        transport: Transport,
        frame: Frame,
        codec: Codec,
        requests: Any,  # noqa: ANN401 (an iterator of messages, or None)
    ) -> None:
        self._transport = transport
        self._frame = frame
        self._codec = codec
        self._requests = requests

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        """The metadata that may be believed."""
        return tuple(self._frame.metadata.items())

    def write(self, message: Any) -> Awaitable[None]:  # noqa: ANN401 (any message)
        """Send one message of the answer, waiting while the reader is slow."""
        return self._transport.write(self._codec.serialise(message))

    def write_serialised(self, raw: bytes) -> Awaitable[None]:
        """The same with a message that is serialised already."""
        if len(raw) > self._codec.most:
            raise self._codec.too_large("answer")
        return self._transport.write(raw)

    async def read(self) -> Any:  # noqa: ANN401 (any message, or EOF)
        """The next message of the request, or `grpc.aio.EOF`."""
        return await anext(self._requests, grpc.aio.EOF)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the transport has)
        return getattr(self._transport, name)
