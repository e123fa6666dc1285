"""Reads on, for a moment, in a stream whose caller left just before its end: its provider is about to say what it used.

Many clients leave once the last choice is finished, and the usage comes behind that. Earlier in a stream nothing is gained by reading
on: what it would cost is what was saved by leaving.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import NamedTuple

from llm_mesh_gateway.domain.ports import AttemptCall, Piece
from llm_mesh_gateway.domain.record import AttemptRecord
from llm_mesh_runtime.errors import MeshError


class LateUsage(NamedTuple):
    """How long and how much is read on. 0 seconds: not at all."""

    seconds: float = 0.0
    size: int = 0
    """Bytes of events that are read on at most."""


class Remainder:
    """What follows in one stream."""

    __slots__ = ("_call", "_next", "record")

    def __init__(self, call: AttemptCall, record: AttemptRecord) -> None:
        self._call = call
        self.record = record
        self._next: asyncio.Future[Piece | None] | None = None

    async def next(self) -> Piece | None:
        """The next piece for a caller, who may leave meanwhile: the read goes on then, and with it the call."""
        self._next = asyncio.ensure_future(self._call.next())
        piece = await asyncio.shield(self._next)
        self._next = None
        return piece

    def cancel(self) -> None:
        """End the call: nobody will read the rest."""
        self._call.cancel()

    async def read(self, bounds: LateUsage) -> None:
        """Reads to the end, within the bounds, and notes what came. The call is over after that."""
        try:
            with contextlib.suppress(TimeoutError, MeshError):
                async with asyncio.timeout(bounds.seconds):
                    await self._read(bounds.size)
        finally:
            self._call.cancel()
            self.record.recount()

    async def _read(self, size: int) -> None:
        while size >= 0:
            piece = await (self._call.next() if self._next is None else self._next)
            self._next = None
            if piece is None:
                return
            self.record.note(piece)
            if piece.report is not None:
                return
            size -= sum(event.ByteSize() for event in piece.events)
