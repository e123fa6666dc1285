"""What the pipeline wants from a link: the server side of one call, whatever carries it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn, Protocol

import grpc

MAX_MESSAGE = 32 * 1024 * 1024


class Transport(Protocol):
    """The part of `grpc.aio.ServicerContext` that the pipeline and handlers use; the local link implements it too."""

    def invocation_metadata(self) -> Any: ...  # noqa: ANN401 - grpc's metadata type
    def time_remaining(self) -> float | None: ...
    def peer(self) -> str: ...
    def auth_context(self) -> Mapping[str, Any]: ...
    async def send_initial_metadata(self, initial_metadata: Any) -> None: ...  # noqa: ANN401
    def set_trailing_metadata(self, trailing_metadata: Any) -> None: ...  # noqa: ANN401
    def trailing_metadata(self) -> Any: ...  # noqa: ANN401
    async def write(self, message: bytes) -> None: ...
    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()) -> NoReturn: ...  # noqa: ANN401


class Inbound(NamedTuple):
    """What a link vouches for: the metadata that may be believed, and which service of the mesh calls, if any."""

    metadata: Mapping[str, str | bytes]
    service: str
    """The calling service; empty for everybody else."""


Origin = Callable[[Transport], Inbound]
"""How a listener or link reads the metadata and finds out who calls."""


class HandlerContext:
    """What a handler gets: the transport, with messages instead of bytes and without metadata that must not be believed."""

    __slots__ = ("_inbound", "_parse", "_requests", "_serialise", "_transport")

    def __init__(
        self, transport: Transport, inbound: Inbound, parse: Callable[[bytes], Any], serialise: Callable[[Any], bytes], requests: Any
    ) -> None:
        self._transport = transport
        self._inbound = inbound
        self._parse = parse
        self._serialise = serialise
        self._requests = requests

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        """The metadata that may be believed."""
        return tuple(self._inbound.metadata.items())

    async def write(self, message: Any) -> None:  # noqa: ANN401 - any message
        """Send one message of the answer, waiting while the reader is slow."""
        await self._transport.write(self._serialise(message))

    async def read(self) -> Any:  # noqa: ANN401 - any message, or EOF
        """The next message of the request, or `grpc.aio.EOF`."""
        try:
            return await anext(self._requests)
        except StopAsyncIteration:
            return grpc.aio.EOF

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transport has
        return getattr(self._transport, name)
