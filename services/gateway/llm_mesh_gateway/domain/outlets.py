"""Where an answer goes: collected whole, or passed on as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_gateway.domain.ports import Piece
from llm_mesh_gateway.domain.reservation import Reservation

Write = Callable[[bytes], Awaitable[None]]
_LOW = 0x7F
_SMALL = 64 * 1024
_OUTPUT = gateway_pb2.EmbedResponse.OUTPUT_FIELD_NUMBER


class Whole:
    """Writes the answer where the caller will have it."""

    __slots__ = ("_output",)

    def __init__(self, output: generate_pb2.GenerateOutput) -> None:
        self._output = output

    async def release(self, piece: Piece) -> None:
        """Take the answer."""
        if piece.answer is not None:
            self._output.CopyFrom(cast("generate_pb2.GenerateOutput", piece.answer))


class Vectors:
    """Keeps an answer with vectors until it is charged, in messages that are ready to be sent."""

    __slots__ = ("output", "pieces")

    def __init__(self) -> None:
        self.output = embed_pb2.EmbedOutput()
        """Everything but the vectors."""
        self.pieces: Sequence[bytes] = ()
        """The vectors, in messages that have the field `embeddings` alone, which is the same one in all contracts."""

    async def release(self, piece: Piece) -> None:
        """Take the answer."""
        if isinstance(piece.answer, embed_pb2.EmbedOutput):
            self.output, self.pieces = piece.answer, piece.vectors

    async def whole(self, receipt: gateway_pb2.Receipt) -> bytes:
        """An `EmbedResponse`, put together on the wire: 25 MB that are taken apart and written anew would hold the event loop."""
        output = (self.output.SerializeToString(), *self.pieces)
        size = sum(map(len, output))
        parts = (_tag(_OUTPUT), _varint(size), *output, gateway_pb2.EmbedResponse(receipt=receipt).SerializeToString())
        return b"".join(parts) if size <= _SMALL else await asyncio.to_thread(b"".join, parts)  # which lets go of the interpreter

    async def write(self, receipt: gateway_pb2.Receipt, write: Write) -> None:
        """Write the messages of `EmbedStream`; waits while the caller is slow."""
        first = gateway_pb2.EmbedStreamResponse(output=self.output, receipt=receipt).SerializeToString()
        pieces = iter(self.pieces)
        if sum(map(len, self.pieces)) <= _SMALL:
            first += b"".join(pieces)  # messages one behind the other are one with the fields of both
        await write(first)
        for piece in pieces:
            await write(piece)


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


def _tag(field: int) -> bytes:
    return bytes([field << 3 | 2])  # what follows begins with its length


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > _LOW:
        encoded.append(value & _LOW | _LOW + 1)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
