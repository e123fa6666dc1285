"""Waits for a mesh that is about to start: for commands that are called right after its services."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import grpc
import typer

T = TypeVar("T")
Wait = Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for a mesh that does not answer yet.")]
_PAUSE = 0.5


async def once_available(work: Callable[[], Awaitable[T]], seconds: float) -> T:
    """Do the work, again and again while a service that it needs is UNAVAILABLE and the time is not over. Any other failure ends it."""
    end = time.monotonic() + seconds
    while True:
        try:
            return await work()
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() + _PAUSE > end:
                raise
        await asyncio.sleep(_PAUSE)
