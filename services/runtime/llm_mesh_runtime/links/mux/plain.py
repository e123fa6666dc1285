"""Carries calls by plain gRPC, to an address that does not speak the batched link."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from llm_mesh_runtime.links.mux.called import ClientCall
    from llm_mesh_runtime.links.remote import RemoteChannel


class Plain:
    """One address, as a carrier of calls."""

    def __init__(self, channel: RemoteChannel) -> None:
        self._channel = channel
        self._tasks: dict[ClientCall, asyncio.Task[None]] = {}
        self._methods: dict[tuple[str, bool, bool], Any] = {}

    @property
    def open(self) -> bool:
        """It always takes calls."""
        return True

    @property
    def calls(self) -> int:
        """Calls in flight."""
        return len(self._tasks)

    def place(self, call: ClientCall) -> None:
        """Make the call, in a task whose context is empty: everything that it carries is in its metadata."""
        call.carrier = self
        task = call.loop.create_task(self._carry(call), context=contextvars.Context())
        self._tasks[call] = task
        task.add_done_callback(lambda _done: self._tasks.pop(call, None))

    def give_up(self, call: ClientCall) -> None:
        """The caller has ended the call."""
        task = self._tasks.pop(call, None)
        if task is not None:
            task.cancel()

    async def finish(self) -> None:
        """Close after the last call."""
        try:
            while self._tasks:
                await asyncio.wait(tuple(self._tasks.values()))
        finally:
            await self.close()

    async def close(self) -> None:
        """End what runs."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._channel.close()

    def _method(self, call: ClientCall) -> Any:  # noqa: ANN401 - one of the four multicallables
        kind = (call.method, call.first is None, call.streams)
        known = self._methods.get(kind)
        if known is None:
            names = {
                (False, False): "unary_unary",
                (False, True): "unary_stream",
                (True, False): "stream_unary",
                (True, True): "stream_stream",
            }
            known = self._methods[kind] = getattr(self._channel, names[kind[1:]])(call.method)
        return known

    async def _carry(self, call: ClientCall) -> None:
        request = _requests(call) if call.first is None else call.first
        made = self._method(call)(request, timeout=call.time_remaining(), metadata=call.metadata, wait_for_ready=call.patient)
        try:
            initial = await made.initial_metadata()
            call.begun(tuple(initial))
            if call.inflow is None:
                call.response = await made
            else:
                async for message in made:
                    await call.inflow.offer(message)
            call.trailing = tuple(await made.trailing_metadata())
            code, details = grpc.StatusCode.OK, ""
        except grpc.aio.AioRpcError as error:
            call.trailing = tuple(error.trailing_metadata() or ())
            code, details = error.code(), error.details() or ""
        finally:
            made.cancel()
        call.carrier = None
        call.finish(code, details)


async def _requests(call: ClientCall) -> AsyncIterator[bytes]:
    outflow = call.outflow
    while outflow is not None and (message := await outflow.take()) is not None:
        yield message
