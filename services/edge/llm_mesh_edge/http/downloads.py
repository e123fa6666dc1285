"""Long answers that are read from a stream of the mesh: as fast as the client takes them, and no faster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from llm_mesh_edge.domain.ports import BatchesStream
from llm_mesh_edge.domain.receipts import Pairs
from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.client_watch import ClientWatch
from llm_mesh_edge.http.exchange import HttpExchange
from llm_mesh_runtime.errors import internal

M = TypeVar("M")


async def download(
    exchange: HttpExchange,
    bodies: Bodies,
    stream: BatchesStream[M],
    written: Callable[[M], bytes],
    size: Callable[[M], int],
    *,
    media_type: bytes,
    headers: Callable[[M], Pairs] | None = None,
) -> None:
    """Write the messages of a stream, each when the client has taken the one before. It ends with the client."""
    try:
        with ClientWatch(exchange):
            message = await stream.read()
            if message is None:
                if headers is not None:
                    raise internal()  # a stream with a head says why it has none
                return await exchange.answer(200, b"", media_type=media_type)
            await exchange.begin_stream(media_type, headers(message) if headers is not None else [])
            while message is not None:
                piece = await bodies.written(exchange, size(message), _bound(written, message))
                if piece:
                    await exchange.write(piece)
                message = await stream.read()
            return await exchange.end()
    finally:
        stream.cancel()


def _bound(written: Callable[[M], bytes], message: M) -> Callable[[], bytes]:
    return lambda: written(message)
