"""Asks for vectors and carries them back, in whichever dialect they were asked.

A large answer is written piece by piece: 2,048 vectors of 3,072 numbers are 130 MB of text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_edge.domain.failures import placed
from llm_mesh_edge.domain.places import Body
from llm_mesh_edge.domain.ports import GatewayClient, VectorsStream
from llm_mesh_edge.domain.receipts import receipt_headers, translation_headers
from llm_mesh_edge.http.bodies import LARGE, Bodies
from llm_mesh_edge.http.client_watch import ClientWatch
from llm_mesh_edge.http.exchange import HttpExchange
from llm_mesh_edge.http.parsing import parsed_request
from llm_mesh_runtime.errors import internal
from llm_mesh_runtime.pace import Pace, Unpaced

Piece = gateway_pb2.EmbedStreamResponse


class EmbeddingWriter(Protocol):
    """Writes one answer with vectors."""

    @property
    def begin(self) -> bytes:
        """What stands before the vectors."""

    @property
    def end(self) -> bytes:
        """What stands behind them."""

    def write(self, embeddings: Iterable[embed_pb2.Embedding], step: Callable[[], None]) -> bytes:
        """Some vectors, in their order. `step` is called after each."""


class EmbeddingDialect(Protocol):
    """One way to ask for vectors."""

    def read(self, body: dict[str, Any]) -> embed_pb2.EmbedInput:
        """The typed request. Raises `DialectError`."""

    def place(self, field: str, body: Body) -> str:
        """Where a field of the typed request stands in the body."""

    def writer(self, output: embed_pb2.EmbedOutput, body: Body) -> EmbeddingWriter:
        """What writes the answer. `output` has everything but vectors."""


class EmbeddingHandler:
    """Carries texts to the gateway and vectors back."""

    def __init__(self, gateway: GatewayClient, bodies: Bodies, dialect: EmbeddingDialect) -> None:
        self._gateway = gateway
        self._bodies = bodies
        self._dialect = dialect

    async def __call__(self, exchange: HttpExchange) -> None:
        """Translate the body, ask the gateway, and write the vectors."""
        request = await parsed_request(exchange, self._bodies)
        exchange.place = lambda failure: placed(failure, self._dialect.place, request.body)
        embedding = await self._bodies.worked(exchange, request.size, lambda: self._dialect.read(request.body))
        asking = gateway_pb2.EmbedStreamRequest(input=embedding, options=request.options)
        with ClientWatch(exchange):
            answer = self._gateway.embed(asking, request.metadata)
            first = await answer.read()
            if first is None:
                raise internal()  # a gateway says why it does not answer
            headers = [*receipt_headers(first.receipt), *translation_headers(first.output.translations)]
            writer = self._dialect.writer(first.output, request.body)
            pieces, whole = await _small(answer, first)
            if whole:
                body = b"".join([_written(writer, piece) for piece in pieces])
                await exchange.answer(200, writer.begin + body + writer.end, headers)
                return
            await exchange.begin_json(headers)
            await exchange.write(writer.begin)
            while pieces:
                for piece in pieces:
                    await exchange.write(await self._bodies.written(exchange, piece.ByteSize(), partial(_written, writer, piece)))
                following = await answer.read()
                pieces = [] if following is None else [following]
            await exchange.end(writer.end)


async def _small(answer: VectorsStream, first: Piece) -> tuple[list[Piece], bool]:
    """Reads on while the answer is small. Tells what came, and whether that is all."""
    pieces, size = [first], first.ByteSize()
    while size <= LARGE:
        piece = await answer.read()
        if piece is None:
            return pieces, True
        pieces.append(piece)
        size += piece.ByteSize()
    return pieces, False


def _written(writer: EmbeddingWriter, piece: Piece) -> bytes:
    pace = Unpaced() if piece.ByteSize() <= LARGE else Pace()
    return writer.write(piece.embeddings, pace.step)
