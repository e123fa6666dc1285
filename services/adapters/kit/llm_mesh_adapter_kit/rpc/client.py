"""The calls of one endpoint, over one channel of gRPC. How many there are at once is the bulkhead's business."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import grpc

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.http import BrokenError, HttpAnswer, HttpRequest, checked_target
from llm_mesh_adapter_kit.rpc.answer import RpcAnswer, RpcCall
from llm_mesh_adapter_kit.rpc.dialling import RpcDialler
from llm_mesh_adapter_kit.rpc.framing import MOST_BYTES, RpcStatus, framed, frames_of
from llm_mesh_adapter_kit.rpc.settings import RpcTransportSettings, rpc_transport
from llm_mesh_adapter_kit.rpc.statuses import TOO_MUCH
from llm_mesh_runtime.tasks import TaskSet

AT_ONCE = 8
"""Calls of one request that has several."""
MOST_TOGETHER = 8 * MOST_BYTES
"""Bytes of all answers to them."""
_ABANDON_SECONDS = 5.0
_GRACE = 600.0
"""Seconds that calls under way have on a channel that another one has replaced."""
_OF_HTTP = frozenset({"content-type", "content-length", "accept", "host", "user-agent", "te", "connection"})

Metadata = tuple[tuple[str, str], ...]

Abandon = Callable[[str, bytes], tuple[str, bytes] | None]
"""From the path and message of a call that is read no more to a call that tells the server so; None: nothing more is to be told."""


class RpcClient:
    """Implements `HttpClient`: the path of a request is a method, its body one message, or several, which are as many calls."""

    def __init__(self, origin: str, rule: AddressRule, transport: RpcTransportSettings, abandon: Abandon) -> None:
        parts = urlsplit(origin)
        self._origin = (parts.scheme, parts.netloc)
        self._dialler = RpcDialler(origin, rule, transport)
        self._abandon = abandon
        self._channel: grpc.aio.Channel | None = None
        self._dialling = asyncio.Lock()
        self._telling = TaskSet()
        self._ending = TaskSet()
        self._calls: set[RpcCall] = set()
        self._retired = False

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """See `HttpClient`."""
        path = checked_target(request.method, request.url, self._origin)
        messages = [data for data, _ in frames_of(request.body)]
        metadata = _metadata(request)
        channel = await self._standing(request)
        if len(messages) == 1:
            call = self._begun(channel, path, messages[0], metadata)
            try:
                return RpcAnswer(await call.read(request.deadline), call)
            except BaseException:
                call.close()
                raise
        return await self._together(channel, path, messages, metadata, request)

    @property
    def at_rest(self) -> bool:
        """Whether no call is under way."""
        self._calls = {call for call in self._calls if not call.over}
        return not self._calls

    def retire(self) -> None:
        """No call begins any more; the channel closes with the adapter."""
        self._retired = True

    async def close(self) -> None:
        """See `HttpClient`."""
        for call in self._calls:
            call.close()
        await self._telling.join()
        await self._telling.close()
        await self._ending.close()
        if self._channel is not None:
            await self._channel.close()

    async def _together(
        self, channel: grpc.aio.Channel, path: str, messages: Sequence[bytes], metadata: Metadata, request: HttpRequest
    ) -> HttpAnswer:  # fmt: skip
        """The answers of several calls, in the order of their messages; the first failure is that of all."""
        room = asyncio.Semaphore(AT_ONCE)
        left = ByteRoom(int(min(MOST_TOGETHER, request.most_bytes)))

        async def one(message: bytes) -> list[bytes | RpcStatus]:
            async with room:
                call = self._begun(channel, path, message, metadata)
                try:
                    return await _whole(call, request.deadline, left)
                finally:
                    call.close()

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(message)) for message in messages]
        except* (BrokenError, TimeoutError) as failures:
            raise failures.exceptions[0] from None
        answers = [part for task in tasks for part in task.result()]
        failed = next((part for part in answers if isinstance(part, RpcStatus)), None)
        if failed is not None:
            return RpcAnswer(failed, None)
        return _Ready(b"".join(framed(part) for part in answers if isinstance(part, bytes)))

    def _begun(self, channel: grpc.aio.Channel, path: str, message: bytes, metadata: Metadata) -> RpcCall:
        method: Any = channel.unary_stream(path)
        call = RpcCall(method(message, metadata=metadata), partial(self._abandoned, channel, path, message, metadata))
        if len(self._calls) > 2 * AT_ONCE:
            self._calls = {each for each in self._calls if not each.over}
        self._calls.add(call)
        return call

    def _abandoned(self, channel: grpc.aio.Channel, path: str, message: bytes, metadata: Metadata) -> None:
        abort_call = self._abandon(path, message)
        if abort_call is not None:
            self._telling.spawn(_tell(channel, *abort_call, metadata), name="adapter.abandon")

    async def _standing(self, request: HttpRequest) -> grpc.aio.Channel:
        """The channel, where it stands; a new one where it does not."""
        channel = self._channel
        if channel is not None and channel.get_state() is grpc.ChannelConnectivity.READY:
            return channel
        async with self._dialling:
            channel = self._channel
            if channel is not None and channel.get_state() is grpc.ChannelConnectivity.READY:
                return channel
            if channel is not None:
                self._channel = None  # a server that stops lets calls under way end: they keep their channel
                self._ending.spawn(channel.close(_GRACE), name="adapter.channel.replaced")
            self._channel = channel = await self._dialler.dial(connect_timeout=request.connect_timeout, deadline=request.deadline)
            return channel


class _Ready(RpcAnswer):
    """An answer that is whole."""

    __slots__ = ()

    def __init__(self, body: bytes) -> None:
        super().__init__(None, None)
        self._next = body


class ByteRoom:
    """How many bytes answers that belong together may still have."""

    def __init__(self, size: int) -> None:
        self._left = size

    def holds(self, size: int) -> bool:
        """Whether there was room for so many more."""
        self._left -= size
        return self._left >= 0


async def _whole(call: RpcCall, deadline: float, room: ByteRoom) -> list[bytes | RpcStatus]:
    parts: list[bytes | RpcStatus] = []
    while (part := await call.read(deadline)) is not None:
        if not isinstance(part, RpcStatus) and not room.holds(len(part)):
            part = TOO_MUCH
        parts.append(part)
        if isinstance(part, RpcStatus):
            break
    return parts


def client_of(endpoint: Endpoint) -> RpcClient:
    """The client of an endpoint whose server sees by itself that a call was cancelled."""
    return RpcClient(endpoint.origin, endpoint.rule, rpc_transport(endpoint.transport), lambda _path, _message: None)


async def _tell(channel: grpc.aio.Channel, path: str, message: bytes, metadata: Metadata) -> None:
    """A courtesy: the server sees the cancelled call, too."""
    method: Any = channel.unary_unary(path)
    try:
        await method(message, metadata=metadata, timeout=_ABANDON_SECONDS)
    except grpc.aio.AioRpcError:
        return


def _metadata(request: HttpRequest) -> Metadata:
    """The headers, prepared ones included, without those of HTTP alone."""
    lines = [line.partition(": ") for line in request.prepared.split("\r\n") if line]
    pairs = [*((name, value) for name, _, value in lines), *request.headers.items()]
    return tuple((name.lower(), value) for name, value in pairs if name.lower() not in _OF_HTTP)
