"""One client's connection: reading its request, sending to it, noticing at once that it has left, and breaking it off."""

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any, Final, Self

from llm_mesh_simulator.provider.reply import Headers

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_NO_LINGER: Final = struct.pack("ii", 1, 0)


class ClientGoneError(Exception):
    """The client has closed the connection; `after` is the time since the request's arrival in seconds."""

    def __init__(self, after: float) -> None:
        super().__init__(f"the client left after {after:.3f} s")
        self.after = after


class TooLargeError(Exception):
    """The request's body is larger than allowed."""


class AsgiRequest:
    """The two ASGI callables of a request, with the time of its arrival."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._arrived = time.perf_counter()

    def elapsed(self) -> float:
        """Seconds since the arrival."""
        return time.perf_counter() - self._arrived

    async def body(self, limit: int) -> bytes:
        """The whole body of the request."""
        message = await self._receive()
        parts: list[bytes] = []
        size = 0
        while message["type"] == "http.request":
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > limit:
                raise TooLargeError
            parts.append(part)
            if not message.get("more_body"):
                return parts[0] if len(parts) == 1 else b"".join(parts)
            message = await self._receive()
        raise ClientGoneError(self.elapsed())

    async def start(self, status: int, headers: Headers) -> None:
        """Sends status and headers."""
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes, *, more: bool) -> None:
        """Sends a part of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def until(self, due: float) -> None:
        """Waits until so many seconds after the arrival."""
        wait = due - self.elapsed()
        if wait > 0:
            await asyncio.sleep(wait)

    async def raw(self, data: bytes) -> None:
        """Sends bytes past HTTP."""
        self._transport().write(data)

    async def reset(self) -> None:
        """Breaks the connection off with RST."""
        transport = self._transport()
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()
        await self.gone()

    async def hangup(self) -> None:
        """Closes the connection in the middle of whatever was being sent."""
        self._transport().close()
        await self.gone()

    async def gone(self) -> None:
        """Waits until the connection is closed."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def still_there(self) -> None:
        """Raises `ClientGoneError` if the connection has failed under a write: from then on writes are dropped, and none of them waits."""
        if self._transport().is_closing():
            await self.gone()
            raise ClientGoneError(self.elapsed())

    def watched(self) -> "Watch":
        """A block that ends with `ClientGoneError` as soon as the client leaves."""
        return Watch(self)

    def _transport(self) -> Any:  # noqa: ANN401  it is not part of ASGI
        # ASGI cannot break a connection off; the listener's `send` is a method of the request, which knows its transport.
        return self._send.__self__.transport  # type: ignore[attr-defined]  # see above


class Watch:
    """Listens for the client's leaving beside the block, and cancels the block when it happens."""

    def __init__(self, connection: AsgiRequest) -> None:
        self._connection = connection
        self._after: float | None = None
        self._block: asyncio.Task[Any] | None = None
        self._listener: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Starts to listen."""
        self._block = asyncio.current_task()
        self._listener = asyncio.create_task(self._listen(), name="simulator: listens for the client's leaving")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stops to listen; turns the cancellation into what it was about."""
        if self._listener is not None:
            self._listener.cancel()
        if self._after is not None and self._block is not None and self._block.uncancel() == 0 and kind is asyncio.CancelledError:
            raise ClientGoneError(self._after) from error

    async def _listen(self) -> None:
        await self._connection.gone()
        self._after = self._connection.elapsed()
        if self._block is not None:
            self._block.cancel()
