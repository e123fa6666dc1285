"""Following a peer's watch stream for as long as the service lives: again and again, with backoff, never in a tight loop."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol, TypeVar

import grpc

from llm_mesh_runtime.log import get_logger

M_co = TypeVar("M_co", covariant=True)
M = TypeVar("M")

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 5.0


class Stream(Protocol[M_co]):
    """A server stream, as generated stubs return it."""

    def __aiter__(self) -> AsyncIterator[M_co]:
        """The messages."""
        ...

    def cancel(self) -> bool:
        """Ends the call."""
        ...


async def follow(
    open_stream: Callable[[], Stream[M]], handle: Callable[[M], Any], *, lost: Callable[[], None] | None = None, name: str
) -> None:
    """Opens the stream, handles its messages, and opens it again when it ends; `lost` is told when it ended in an error.

    Ends only by cancellation. `open_stream` is asked each time, so that it can resume where the last one ended.
    """
    pause = _FIRST_PAUSE
    while True:
        stream: Stream[M] | None = None
        try:
            stream = open_stream()
            async for message in stream:
                pause = _FIRST_PAUSE
                handle(message)
        except grpc.aio.AioRpcError as error:
            if lost is not None:
                lost()
            get_logger().debug("watch stream ended", stream=name, code=error.code().name, detail=error.details())
        finally:
            if stream is not None:
                stream.cancel()
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads reconnections, guards nothing
        pause = min(pause * 2, _LONGEST_PAUSE)
