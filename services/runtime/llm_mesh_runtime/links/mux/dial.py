"""Opens one connection of the batched link: stream, HELLO both ways, and what to make of it when that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError

from llm_mesh.link.v1 import link_pb2
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.links.mux.connection import LinkConnection
from llm_mesh_runtime.links.mux.wire import MAX_BATCH, PATH, checked, hello, violation
from llm_mesh_runtime.links.outbound import Metadata, Outbound
from llm_mesh_runtime.links.remote import RemoteChannel

if TYPE_CHECKING:
    from llm_mesh_runtime.links.tls import Tls

_TIMEOUT = 10.0
_OWN_SOCKET = (("grpc.use_local_subchannel_pool", 1),)


class PlainOnlyError(Exception):
    """The address answers, and does not speak the link."""


@dataclass(frozen=True, slots=True)
class LinkDialler:
    """How one service reaches one peer."""

    caller: str
    peer: str
    identity: Callable[[], Metadata] | None
    tls: Tls | None

    def plain(self, target: str) -> RemoteChannel:
        """A channel of plain gRPC to one address. Calls bring their own metadata but for who calls."""
        return RemoteChannel(self.peer, target, Outbound(self.caller, identity=self.identity), self.tls, options=_OWN_SOCKET)

    async def connect(self, target: str) -> Dialled:
        """Connect. Raises `PlainOnlyError`, `AioRpcError`, a link's fault, or `TimeoutError`."""
        channel = self.plain(target)
        call: Any = channel.stream_stream(PATH)()
        try:
            async with asyncio.timeout(_TIMEOUT):
                limits, rest = await _greeted(call)
        except grpc.aio.AioRpcError as error:
            await channel.close()
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                raise PlainOnlyError from None
            raise
        except BaseException:
            await channel.close()
            raise
        return Dialled(LinkConnection(self.peer, limits), channel, call, rest)


@dataclass(frozen=True, slots=True)
class Dialled:
    """A connection that stands."""

    connection: LinkConnection
    channel: RemoteChannel
    call: Any
    rest: bytes
    """What the peer said beside its HELLO."""

    async def run(self) -> str:
        """Carry calls until it ends. Why it did, where the peer broke the rules."""
        try:
            self.connection.received(self.rest)
            fault = await self.connection.run(self.call)
        except MeshError as wrong:
            fault = wrong
        finally:
            self.call.cancel()
            await self.channel.close()
        return str(fault) if fault is not None else ""


async def _greeted(call: Any) -> tuple[link_pb2.Hello, bytes]:  # noqa: ANN401 - grpc's stream-stream call
    """The peer's limits, and what else its first message had."""
    await call.write(link_pb2.ConnectRequest(frames=[link_pb2.Frame(kind=link_pb2.FRAME_KIND_HELLO, hello=hello())]).SerializeToString())
    raw = await call.read()
    if raw is grpc.aio.EOF or len(raw) > MAX_BATCH:
        raise violation("the answer to HELLO is HELLO")
    try:
        batch = link_pb2.ConnectResponse.FromString(raw)
    except DecodeError:
        raise violation("a batch is a ConnectResponse") from None
    if not batch.frames:
        raise violation("the first frame is HELLO")
    limits = checked(batch.frames[0], serves=True)
    del batch.frames[0]
    return limits, batch.SerializeToString()
