"""The calls that a stub gets from the local link: the interface of `grpc.aio`'s call objects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterable
from typing import Any

import grpc

from llm_mesh_runtime.links.local.exchange import CallState
from llm_mesh_runtime.links.local.pipe import PipeClosedError

_OK = grpc.StatusCode.OK
_FINISHED = "RPC already finished."
_HALF_CLOSED = 'RPC is half closed after calling "done_writing".'


class LocalCall:
    """What all four kinds of calls have in common. A call that is dropped without being awaited is cancelled."""

    __slots__ = ("__weakref__", "_deserialise", "_exchange", "_poller")

    def __init__(self, exchange: CallState, deserialise: Callable[[bytes], Any] | None) -> None:
        self._exchange = exchange
        self._deserialise = deserialise
        self._poller: asyncio.Task[None] | None = None

    def __del__(self) -> None:
        if self._exchange.code is None and not self._exchange.loop.is_closed():
            self._exchange.cancel()

    def cancel(self) -> bool:
        """Cancel the call. False where it is over."""
        if self._poller is not None:
            self._poller.cancel()
        return self._exchange.cancel()

    def cancelled(self) -> bool:
        """Whether it ended as CANCELLED."""
        return self._exchange.code is grpc.StatusCode.CANCELLED

    def done(self) -> bool:
        """Whether it has ended."""
        return self._exchange.code is not None

    def time_remaining(self) -> float | None:
        """Seconds until its deadline."""
        return self._exchange.time_remaining()

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Call back with this call once it has ended."""
        self._exchange.on_done(lambda: callback(self))

    async def initial_metadata(self) -> grpc.aio.Metadata:
        """The server's initial metadata, once they are there."""
        await self._exchange.started()
        return grpc.aio.Metadata(*(self._exchange.initial or ()))

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        """The server's trailing metadata, after the end."""
        await self._exchange.ended()
        return grpc.aio.Metadata(*self._exchange.trailing)

    async def code(self) -> grpc.StatusCode:
        """The status code, after the end."""
        await self._exchange.ended()
        return self._status()

    async def details(self) -> str:
        """The status message, after the end."""
        await self._exchange.ended()
        return self._exchange.details

    async def debug_error_string(self) -> str:
        """What gRPC knows beyond the details: here nothing."""
        return await self.details()

    async def wait_for_connection(self) -> None:
        """Nothing to wait for in one process."""
        self._raise_if_over()

    def _status(self) -> grpc.StatusCode:
        code = self._exchange.code
        return grpc.StatusCode.UNKNOWN if code is None else code

    def _raise_if_over(self) -> None:
        if self.done():
            self._raise_for_status()

    def _raise_for_status(self) -> None:
        exchange = self._exchange
        if exchange.locally_cancelled:
            raise asyncio.CancelledError
        if exchange.code is not _OK:
            raise grpc.aio.AioRpcError(
                self._status(),
                grpc.aio.Metadata(*(exchange.initial or ())),
                grpc.aio.Metadata(*exchange.trailing),
                details=exchange.details,
                debug_error_string=exchange.details,
            )

    def _message(self, raw: bytes) -> Any:  # noqa: ANN401 - any message
        return raw if self._deserialise is None else self._deserialise(raw)


class _UnaryResponse(LocalCall):
    """A call with one answer: awaitable."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, Any]:
        exchange = self._exchange
        if exchange.code is None:
            try:
                while exchange.code is None:
                    yield from exchange.waiter()
            except asyncio.CancelledError:
                self.cancel()
                raise
        if exchange.code is not _OK or exchange.response is None:
            self._raise_for_status()
        return self._message(exchange.response or b"")


class _StreamResponse(LocalCall):
    """A call with a stream of answers: iterated, or read one by one."""

    __slots__ = ()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 - any message
        message = await self.read()
        if message is grpc.aio.EOF:
            raise StopAsyncIteration
        return message

    async def read(self) -> Any:  # noqa: ANN401 - any message, or EOF
        """The next answer, or `grpc.aio.EOF` after the last one."""
        responses = self._exchange.responses
        if responses is not None:
            arrival = responses.arrival()
            if arrival is not None:
                try:
                    await arrival
                except asyncio.CancelledError:
                    self.cancel()
                    raise
            raw = responses.take()
            if raw is not None:
                return raw if self._deserialise is None else self._deserialise(raw)
        if self._exchange.code is None:
            await self._exchange.ended()
        self._raise_for_status()
        return grpc.aio.EOF


class _StreamRequest(LocalCall):
    """A call with a stream of requests: written one by one, or taken from an iterator."""

    __slots__ = ("_half_closed", "_serialise")

    def __init__(self, exchange: CallState, deserialise: Callable[[bytes], Any] | None, serialise: Callable[[Any], bytes] | None) -> None:
        super().__init__(exchange, deserialise)
        self._serialise = serialise
        self._half_closed = False

    def feed(self, requests: AsyncIterable[Any] | Iterable[Any]) -> None:
        """Send what an iterator of the client yields."""
        exchange, serialise = self._exchange, self._serialise
        self._poller = exchange.loop.create_task(_feed(exchange, requests, serialise))

    async def write(self, request: Any) -> None:  # noqa: ANN401 - any message
        """Send one message, waiting while the server is slow."""
        if self._poller is not None:
            raise grpc.aio.UsageError("The iterator and read/write APIs may not be mixed on a single RPC.")
        exchange = self._exchange
        if exchange.code is not None:
            raise asyncio.InvalidStateError(_FINISHED)
        if self._half_closed:
            raise asyncio.InvalidStateError(_HALF_CLOSED)
        if not _sent(exchange, request if self._serialise is None else self._serialise(request)) and exchange.requests is not None:
            try:
                await exchange.requests.room()
            except asyncio.CancelledError:
                self.cancel()
                raise
        self._raise_if_over()

    async def done_writing(self) -> None:
        """Say that no more messages come. May be repeated."""
        if self._poller is not None:
            raise grpc.aio.UsageError("The iterator and read/write APIs may not be mixed on a single RPC.")
        self._half_closed = True
        if self._exchange.requests is not None:
            self._exchange.requests.close()


def _sent(exchange: CallState, raw: bytes) -> bool:
    """Puts a message on its way. False where the writer is to wait for room. A call that is over takes all: its status says why."""
    try:
        return exchange.requests is None or exchange.requests.put(raw)
    except PipeClosedError:
        return True


async def _feed(exchange: CallState, requests: Any, serialise: Callable[[Any], bytes] | None) -> None:  # noqa: ANN401 - sync or async
    """Refers to the exchange alone, so that the call object can be dropped, which cancels it."""
    try:
        async for request in _asynchronous(requests):
            if exchange.code is not None:
                return
            if not _sent(exchange, request if serialise is None else serialise(request)) and exchange.requests is not None:
                await exchange.requests.room()
    except Exception:  # noqa: BLE001 - the client's iterator failed: as with gRPC, its call is cancelled
        exchange.cancel()
        return
    except asyncio.CancelledError:
        exchange.cancel()
        raise
    if exchange.requests is not None:
        exchange.requests.close()


async def _asynchronous(requests: Any) -> AsyncIterator[Any]:  # noqa: ANN401 - sync or async
    if isinstance(requests, AsyncIterable):
        async for request in requests:
            yield request
    else:
        for request in requests:
            yield request


class UnaryUnaryCall(_UnaryResponse):
    """One request, one answer."""

    __slots__ = ()


class UnaryStreamCall(_StreamResponse):
    """One request, a stream of answers."""

    __slots__ = ()


class StreamUnaryCall(_StreamRequest, _UnaryResponse):
    """A stream of requests, one answer."""

    __slots__ = ()


class StreamStreamCall(_StreamRequest, _StreamResponse):
    """Streams both ways."""

    __slots__ = ()
