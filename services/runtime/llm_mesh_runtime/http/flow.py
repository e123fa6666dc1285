"""The transport of one connection: whether its client is read, whether it reads what it is sent, and for how long that is waited for."""

from __future__ import annotations

import asyncio
import socket
import struct

PIECE = 16 * 1024
"""Bytes that TLS is given at once: a record of it."""
UNREAD = 60.0
"""Seconds for which a client may take nothing of what it is sent, such as of a stream."""
LINGERING = 10.0
"""Seconds for a client when its connection ends: to take what is left of its answer, and to go on sending what nobody will read."""


class FlowControl:
    """Pauses and resumes a transport, lets writers wait while it is full, and cuts off who takes nothing."""

    __slots__ = ("_timer", "_transport", "_writable", "in_pieces", "read_paused", "write_paused")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.in_pieces = transport.get_extra_info("sslcontext") is not None
        """Whether large bodies are written in pieces. TLS hands on whatever it is given, is never full then, and when the connection ends
        gives all of that the same few seconds: so it gets more once it has sent most of what it had."""
        self._writable = asyncio.Event()
        self._writable.set()
        self._timer: asyncio.TimerHandle | None = None
        self.read_paused = False
        self.write_paused = False

    def begin(self) -> None:
        """The connection is made."""
        if self.in_pieces:
            self._transport.set_write_buffer_limits(high=1, low=0)

    async def drain(self) -> None:
        """Wait until the client reads, or has left."""
        await self._writable.wait()

    def pause_reading(self) -> None:
        """Read no more of the client."""
        if not self.read_paused:
            self.read_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if self.read_paused:
            self.read_paused = False
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        """The transport is full."""
        self.write_paused = True
        self._writable.clear()
        if not self._transport.is_closing():
            self._expect(UNREAD)

    def resume_writing(self) -> None:
        """It has room again."""
        self.write_paused = False
        self._writable.set()
        if not self._transport.is_closing():
            self._forget()

    def hang_up(self, seconds: float = LINGERING) -> None:
        """Close, once the client has taken what it was sent. Who takes nothing of it for so long is not waited for."""
        if not self._transport.is_closing():  # asyncio's TLS cannot tell what is unsent once it was closed twice
            self._transport.close()
        self._expect(seconds)

    def reset(self) -> None:
        """End the connection so that the client takes nothing for the end of its answer."""
        client = self._transport.get_extra_info("socket")
        if client is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def lost(self) -> None:
        """There is no connection any more."""
        self._forget()
        self.write_paused = False
        self._writable.set()

    @property
    def unsent(self) -> int:
        """Bytes that the client has not taken yet."""
        return self._transport.get_write_buffer_size()

    def _expect(self, seconds: float) -> None:
        """Whether the client takes some within so many seconds decides whether it gets as many again."""
        self._forget()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look, seconds, self.unsent)

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, seconds: float, unsent: int) -> None:
        self._timer = None
        if self.unsent < unsent:
            self._expect(seconds)
        else:
            self._transport.abort()


def address_of(transport: asyncio.Transport, end: str) -> tuple[str, int] | None:
    """Host and port of an end; None of a socket file, and of a client that has gone already."""
    name = transport.get_extra_info(end)
    return (name[0], name[1]) if isinstance(name, tuple) else None
