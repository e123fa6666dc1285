"""Where an answer goes: collected whole, or passed on as it comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar, cast

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_gateway.domain.ports import Piece
from llm_mesh_gateway.domain.reservation import Reservation

A = TypeVar("A", generate_pb2.GenerateOutput, embed_pb2.EmbedOutput)
Write = Callable[[bytes], Awaitable[None]]


class Whole(Generic[A]):
    """Writes the answer where the caller will have it."""

    __slots__ = ("_output",)

    def __init__(self, output: A) -> None:
        self._output: A = output

    async def release(self, piece: Piece) -> None:
        """Take the answer."""
        if piece.answer is not None:
            self._output.CopyFrom(cast("A", piece.answer))


class Streamed:
    """Writes each piece to the caller, serialised; waits while the caller is slow, and so does the provider then.

    Both contracts have the events in the same field, so that an adapter's message with nothing else in it is, on the wire, the
    gateway's. Taken apart and put together again each event would be packed and parsed by itself.
    """

    __slots__ = ("_reservation", "_write")

    def __init__(self, write: Write) -> None:
        self._write = write
        self._reservation: Reservation | None = None

    def held(self, reservation: Reservation) -> None:
        """The first message will tell the reservation and how limits stand."""
        self._reservation = reservation

    async def release(self, piece: Piece) -> None:
        """Write the events."""
        if piece.message is not None:
            raw = piece.message.SerializeToString()
        else:
            raw = gateway_pb2.GenerateStreamResponse(events=piece.events).SerializeToString()
        if not raw:
            return
        if self._reservation is not None:
            first = self._reservation
            told = gateway_pb2.GenerateStreamResponse(
                reservation=first.name, limits=first.limits, decision_id=first.decision_id, screened=first.screened
            )
            raw += told.SerializeToString()  # messages one behind the other are one with the fields of both
            self._reservation = None
        await self._write(raw)
