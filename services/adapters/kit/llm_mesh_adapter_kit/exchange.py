"""One request to a provider and its answer, with the deadline of each phase, as errors of adapters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import address_not_allowed, malformed, reset, timed_out, unreachable
from llm_mesh_adapter_kit.http import (
    BrokenError,
    ConnectTimeoutError,
    ForbiddenError,
    HttpAnswer,
    HttpClient,
    HttpRequest,
    UnreachableError,
)
from llm_mesh_adapter_kit.limits import Timers

T = TypeVar("T")
MOST_BYTES = 32 * 1024 * 1024
_FAREWELL = 0.02


class Exchange:
    """An answer whose head has arrived."""

    def __init__(self, endpoint: Endpoint, answer: HttpAnswer, timers: Timers) -> None:
        self._endpoint = endpoint
        self._answer = answer
        self._timers = timers
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers

    async def read(self) -> bytes:
        """Everything that has arrived; empty at the end."""
        try:
            return await _within(self._answer.read(), self._timers, self._endpoint, head=False)
        except BrokenError:
            raise reset(self._endpoint.name) from None

    async def body(self, most: int = MOST_BYTES) -> bytes:
        """The whole rest."""
        pieces: list[bytes] = []
        size = 0
        while piece := await self.read():
            self._timers.event(content=False)
            size += len(piece)
            if size > most:
                raise malformed(self._endpoint.name, f"more than {most} bytes")
            pieces.append(piece)
        return b"".join(pieces)

    async def farewell(self) -> None:
        """Waits a moment for the end of an answer that said that nothing follows: only then its connection serves again."""
        try:
            async with asyncio.timeout(_FAREWELL):
                while await self._answer.read():
                    pass
        except (TimeoutError, BrokenError):
            return


@asynccontextmanager
async def exchange(client: HttpClient, endpoint: Endpoint, request: HttpRequest, timers: Timers) -> AsyncIterator[Exchange]:
    """Sends, and answers once the head has arrived. The connection closes with the block unless the answer was read to its end."""
    try:
        answer = await _within(client.send(request), timers, endpoint, head=True)
    except ForbiddenError as error:
        raise address_not_allowed(endpoint.name, str(error)) from None
    except UnreachableError as error:
        raise unreachable(endpoint.name, str(error)) from None
    except ConnectTimeoutError:
        raise timed_out(endpoint.name, "connect", request.connect_timeout) from None
    except BrokenError as error:
        raise reset(endpoint.name, f"the connection broke off before the answer ({error})") from None
    try:
        yield Exchange(endpoint, answer, timers)
    finally:
        answer.close()


async def _within(work: Awaitable[T], timers: Timers, endpoint: Endpoint, *, head: bool) -> T:
    seconds, phase, limit = timers.next(head=head)
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            return await work
    except TimeoutError:
        raise timed_out(endpoint.name, phase, limit) from None
