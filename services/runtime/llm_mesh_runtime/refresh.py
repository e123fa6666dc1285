"""Keeps what a service knows of others fresh for as long as it lives: `repeat` polls, `follow` reads a peer's watch stream.

Both end only by cancellation, survive every failure of the other side, and never spin.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol, TypeVar

import grpc

from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.log import get_logger

M_co = TypeVar("M_co", covariant=True)
M = TypeVar("M")

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 5.0


class WatchStream(Protocol[M_co]):
    """A server stream, as generated stubs return it."""

    def __aiter__(self) -> AsyncIterator[M_co]:
        """The messages."""
        ...

    def cancel(self) -> bool:
        """Ends the call."""
        ...


async def repeat(
    turn: Callable[[], Awaitable[object]],
    every: float,
    *,
    failing: str = "a periodic task failed; it is tried again",
    delay: float = 0.0,
    retry: Backoff | None = None,
) -> None:
    """Does a turn, and the next one `every` seconds after its end; the first one after `delay` seconds.

    A turn that raises a `MeshError` is tried again after `every` seconds, or as `retry` says. Of failures in a row only the first one
    is logged as a warning, with the text `failing`. Any other exception is a defect and ends the loop.
    """
    failed = False
    await asyncio.sleep(delay)
    while True:
        pause = every
        try:
            await turn()
        except MeshError as error:
            log = get_logger().debug if failed else get_logger().warning
            log(failing, reason=error.reason_name, error=error.message)
            failed = True
            pause = every if retry is None else retry.pause()
        else:
            failed = False
            if retry is not None:
                retry.reset()
        await asyncio.sleep(pause)


async def follow(
    open_stream: Callable[[], WatchStream[M]], handle: Callable[[M], Any], *, lost: Callable[[], None] | None = None, name: str
) -> None:
    """Opens the stream, handles its messages, and opens it again when it ends; `lost` is called when it ended in an error.

    `open_stream` is called each time, so that it can resume where the last stream ended.
    """
    backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
    while True:
        stream: WatchStream[M] | None = None
        try:
            stream = open_stream()
            async for message in stream:
                backoff.reset()
                handle(message)
        except grpc.aio.AioRpcError as error:
            if lost is not None:
                lost()
            get_logger().debug("watch stream ended", stream=name, code=error.code().name, detail=error.details())
        finally:
            if stream is not None:
                stream.cancel()
        await backoff.wait()
