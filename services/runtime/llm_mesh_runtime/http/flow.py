"""Flow control of one connection: whether its client is read, and whether it reads what it is sent."""

from __future__ import annotations

import asyncio


class FlowControl:
    """Pauses and resumes a transport, and lets writers wait while it is full."""

    __slots__ = ("_transport", "_writable", "read_paused", "write_paused")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._writable = asyncio.Event()
        self._writable.set()
        self.read_paused = False
        self.write_paused = False

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

    def resume_writing(self) -> None:
        """It has room again, or the connection is lost."""
        self.write_paused = False
        self._writable.set()
