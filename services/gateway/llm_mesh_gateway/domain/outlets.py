"""Where an answer goes: collected whole, or passed on as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Protocol

from google.protobuf.message import Message

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_gateway.domain.ports import Piece
from llm_mesh_gateway.domain.recording import Recording
from llm_mesh_gateway.domain.replay import KeptAnswer
from llm_mesh_gateway.domain.reservation import OpenReservation
from llm_mesh_runtime.delimited import before

Write = Callable[[bytes], Awaitable[None]]
_SMALL = 64 * 1024
_OUTPUT = gateway_pb2.EmbedResponse.OUTPUT_FIELD_NUMBER


class Outlet(Protocol):
    """Takes one answer."""

    async def release(self, piece: Piece) -> None:
        """The next piece of it."""

    def held(self, reservation: OpenReservation, recording: Recording | None) -> None:
        """Money is held, and the answer is asked for. What is released goes into the recording, if there is one."""

    def replays(self, replay: KeptAnswer) -> Iterator[Piece]:
        """The pieces of a kept answer, which come instead."""


class Whole:
    """Writes the answer where the caller will have it."""

    __slots__ = ("_output", "_recording")

    def __init__(self, output: Message) -> None:
        self._output = output
        self._recording: Recording | None = None

    def held(self, reservation: OpenReservation, recording: Recording | None) -> None:
        """The answer has no place for the reservation but its receipt."""
        del reservation
        self._recording = recording

    async def release(self, piece: Piece) -> None:
        """Take the answer."""
        if piece.answer is not None:
            self._output.CopyFrom(piece.answer)
            if self._recording is not None:
                self._recording.add_whole(self._output)

    def replays(self, replay: KeptAnswer) -> Iterator[Piece]:
        """The one piece."""
        for message in replay.recorded.messages:
            yield Piece(answer=type(self._output).FromString(message))


class Vectors:
    """Keeps an answer with vectors until it is charged, in messages that are ready to be sent."""

    __slots__ = ("_recording", "output", "pieces")

    def __init__(self) -> None:
        self.output = embed_pb2.EmbedOutput()
        """Everything but the vectors."""
        self.pieces: Sequence[bytes] = ()
        """The vectors, in messages that have the field `embeddings` alone, which is the same one in all contracts."""
        self._recording: Recording | None = None

    def held(self, reservation: OpenReservation, recording: Recording | None) -> None:
        """The answer has no place for the reservation but its receipt."""
        del reservation
        self._recording = recording

    async def release(self, piece: Piece) -> None:
        """Take the answer."""
        if isinstance(piece.answer, embed_pb2.EmbedOutput):
            self.output, self.pieces = piece.answer, piece.vectors
            if self._recording is not None:
                self._recording.add_whole(self.output, self.pieces)

    def replays(self, replay: KeptAnswer) -> Iterator[Piece]:
        """The one piece."""
        output, *vectors = replay.recorded.messages
        yield Piece(answer=embed_pb2.EmbedOutput.FromString(output), vectors=vectors)

    async def whole(self, receipt: gateway_pb2.Receipt) -> bytes:
        """An `EmbedResponse`, put together on the wire: 25 MB that are taken apart and written anew would hold the event loop."""
        output = (self.output.SerializeToString(), *self.pieces)
        size = sum(map(len, output))
        parts = (before(_OUTPUT, size), *output, gateway_pb2.EmbedResponse(receipt=receipt).SerializeToString())
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

    The adapter's message and the gateway's both carry `StreamEvents`: an adapter's message with nothing else in it goes on as it came.
    Taken apart and put together again each event would be packed and parsed by itself.
    """

    __slots__ = ("_first", "_recording", "_write")

    def __init__(self, write: Write) -> None:
        self._write = write
        self._first: Callable[[], gateway_pb2.GenerateStreamResponse] | None = None
        self._recording: Recording | None = None

    def held(self, reservation: OpenReservation, recording: Recording | None) -> None:
        """The first message will have the reservation, how limits stand, and what screening found until then."""
        self._recording = recording
        self._first = lambda: gateway_pb2.GenerateStreamResponse(
            reservation=reservation.name,
            limits=reservation.limits,
            decision_id=reservation.decision_id,
            screened=reservation.screened,
        )

    def replays(self, replay: KeptAnswer) -> Iterator[Piece]:
        """The messages as they were recorded; the first one will say whose they are."""
        entry = replay.entry
        self._first = lambda: gateway_pb2.GenerateStreamResponse(
            reservation=entry.name, decision_id=entry.decision_id, replayed=True, screened=replay.screened
        )
        for message in replay.recorded.messages:
            yield Piece(events=generate_pb2.StreamEvents.FromString(message).events)

    async def release(self, piece: Piece) -> None:
        """Write the events."""
        if piece.message is not None:
            raw = piece.message.SerializeToString()
        else:
            raw = generate_pb2.StreamEvents(events=piece.events).SerializeToString()
        if self._recording is not None:
            self._recording.add(raw)
            self._recording.has_end = piece.report is not None
        if not raw:
            return
        if self._first is not None:
            raw += self._first().SerializeToString()  # messages one behind the other are one with the fields of both
            self._first = None
        await self._write(raw)
