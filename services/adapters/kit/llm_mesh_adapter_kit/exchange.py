"""One request to a provider and its answer, with the deadline of each phase, as errors of adapters."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping

from llm_mesh_adapter_kit.answer_bounds import MOST_ANSWER
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import address_not_allowed, beyond_bounds, reset, timed_out, unreachable
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
from llm_mesh_adapter_kit.redaction import GrowingRedaction

_END_WAIT = 0.02


class Exchange:
    """An answer whose head has arrived."""

    __slots__ = ("_answer", "_endpoint", "_left", "_most", "_timers", "header", "status")

    def __init__(self, endpoint: Endpoint, answer: HttpAnswer, timers: Timers, most: float = math.inf) -> None:
        """`most` bytes may come, once unpacked."""
        self._endpoint = endpoint
        self._answer = answer
        self._timers = timers
        self._most = self._left = most
        self.status = answer.status
        self.header = answer.header

    @property
    def headers(self) -> Mapping[str, str]:
        """All headers, by lower-case name."""
        return self._answer.headers

    async def read(self) -> bytes:
        """Everything that has arrived; empty at the end."""
        timers = self._timers
        if timers.over:
            raise timed_out(self._endpoint.name, *timers.phase(head=False))
        try:
            data = await self._answer.read(timers.next(head=False))
        except TimeoutError:
            raise timed_out(self._endpoint.name, *timers.phase(head=False)) from None
        except BrokenError:
            raise reset(self._endpoint.name) from None
        self._left -= len(data)
        if self._left < 0:
            raise beyond_bounds(self._endpoint.name, "wire", int(self._most))
        return data

    async def body(self, most: int = MOST_ANSWER) -> bytes:
        """The whole rest, without our credentials: at most so many bytes, which are held at once."""
        most = int(min(most, self._most))
        whole = self._answer.at_once()  # nearly every answer is there with its head, and is read without a coroutine of its own
        if whole is None or not self._answer.over or len(whole) > most:
            whole = await self._rest(whole, most)
        return self._endpoint.redaction.bytes_of(whole)

    async def _rest(self, begun: bytes | None, most: int) -> bytes:
        """What is there already, and what is still to come."""
        first = await self.read() if begun is None else begun
        if self._answer.over and len(first) <= most:
            return first
        pieces = [first]
        size = len(first)
        while pieces[-1]:
            if size > most:
                raise beyond_bounds(self._endpoint.name, "wire", most)
            self._timers.event(content=False)
            pieces.append(await self.read())
            size += len(pieces[-1])
        return b"".join(pieces)

    async def await_end(self) -> None:
        """Waits a moment for the end of an answer that said that nothing follows: only then its connection serves again."""
        deadline = time.monotonic() + _END_WAIT
        try:
            while await self._answer.read(deadline):
                pass
        except (TimeoutError, BrokenError):
            return

    def close(self) -> None:
        """The connection closes unless the answer was read to its end."""
        self._answer.close()


async def begun(client: HttpClient, endpoint: Endpoint, request: HttpRequest, timers: Timers) -> Exchange:
    """Sends, and answers once the head has arrived. Close it."""
    try:
        return Exchange(endpoint, await client.send(request), timers, request.most_bytes)
    except ForbiddenError as error:
        raise address_not_allowed(endpoint.name, str(error)) from None
    except UnreachableError as error:
        raise unreachable(endpoint.name, str(error)) from None
    except ConnectTimeoutError:
        raise timed_out(endpoint.name, "connect", request.connect_timeout) from None
    except TimeoutError:
        raise timed_out(endpoint.name, *timers.phase(head=True)) from None
    except BrokenError as error:
        raise reset(endpoint.name, f"the connection broke off before the answer ({error})") from None


async def signed(client: HttpClient, endpoint: Endpoint, request: HttpRequest, timers: Timers, credential: str) -> Exchange:
    """As `begun`, once the endpoint's signer has put its credentials on the request. Nothing is sent before their redaction is ready."""
    signer, redaction = endpoint.signer, endpoint.redaction
    left = request.deadline - time.monotonic()
    try:
        async with asyncio.timeout(min(request.connect_timeout, max(left, 0.0))):
            headers = await signer.sign(credential, request)
            if isinstance(redaction, GrowingRedaction):
                await redaction.learn(signer.secrets)
    except TimeoutError:
        raise timed_out(endpoint.name, "connect", request.connect_timeout) from None
    return await begun(client, endpoint, request._replace(headers={**request.headers, **headers}), timers)
