"""Both ends of a batched link without a network between them: what one says is seen, and said again to the other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from google.protobuf.message import Message

from llm_mesh.link.v1 import link_pb2
from llm_mesh_runtime.links.local import LocalServer
from llm_mesh_runtime.links.mux import wire
from llm_mesh_runtime.links.mux.called import ClientCall
from llm_mesh_runtime.links.mux.connection import LinkConnection
from llm_mesh_runtime.links.mux.outbox import FrameQueue
from llm_mesh_runtime.links.mux.service import Incoming, ServedCalls
from llm_mesh_runtime.pipeline import Unread, Wrapped, methods_of
from tests.contract.echo import CONTRACT, Echo, generated

SAY, COUNT, SUM, TALK = (f"/{CONTRACT}/{name}" for name in ("Say", "Count", "Sum", "Talk"))


class Handlers:
    """The echo contract, served with bytes: what a handler has seen, and gates that hold it."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.cancelled = 0
        self.go = asyncio.Event()
        self.go.set()
        self.answers: list[bytes] = []

    def server(self) -> LocalServer:
        """As a listener has it."""
        made = methods_of([(generated()[1].add_EchoServiceServicer_to_server, Echo())], open_access=True)
        return LocalServer("echo", [Wrapped(method, self._handler(method.name)) for method in made])

    def _handler(self, name: str) -> Any:
        async def handle(first: Any, transport: Any, _origin: Any) -> bytes | None:
            try:
                return await self._handle(name, first, transport)
            except asyncio.CancelledError:
                self.cancelled += 1
                raise

        return handle

    async def _handle(self, name: str, first: Any, transport: Any) -> bytes | None:
        if isinstance(first, Unread):  # plain gRPC has read no message yet
            first = await first.message(float("inf"), None)
        if name in {"Sum", "Talk"}:
            async for message in first:
                self.seen.append(message)
                await self.go.wait()
                if name == "Talk":
                    await transport.write(message)
            return b"sum" if name == "Sum" else None
        self.seen.append(first)
        await self.go.wait()
        if name.endswith("Count"):
            for answer in self.answers:
                await transport.write(answer)
            return None
        return bytes(first)


class Callee:
    """The serving end, to which a test speaks frames."""

    def __init__(self, handlers: Handlers) -> None:
        self.work = ServedCalls()
        self.incoming = Incoming("echo", "console", "test", handlers.server().handlers, self.work)

    def say(self, *frames: Any) -> None:
        """One batch."""
        self.incoming.received(link_pb2.ConnectRequest(frames=frames).SerializeToString())

    def heard(self) -> list[Any]:
        """Everything that it has to say at this moment."""
        return drained(self.incoming.outbox)


class Caller:
    """The calling end."""

    def __init__(self, limits: link_pb2.Hello | None = None) -> None:
        self.connection = LinkConnection("echo", limits or wire.hello())

    def call(self, method: str, first: bytes | None = None, *, streams: bool = False) -> ClientCall:
        """Open a call."""
        made = ClientCall(method, (), None, first=first, streams=streams, patient=False)
        self.connection.place(made)
        return made

    def say(self, *frames: Any) -> None:
        """One batch from the peer."""
        self.connection.received(link_pb2.ConnectResponse(frames=frames).SerializeToString())

    def heard(self) -> list[Any]:
        """Everything that it has to say at this moment."""
        return drained(self.connection.outbox)


def frame(kind: int, call: int = 0, **fields: Any) -> link_pb2.Frame:
    """A frame."""
    return link_pb2.Frame(kind=kind, call=call, **fields)  # type: ignore[arg-type]  # numbers that are no kind, too


def greeting(**changed: int) -> link_pb2.Frame:
    """A HELLO with limits that are ours, or otherwise."""
    limits = wire.hello()
    for name, value in changed.items():
        setattr(limits, name, value)
    return frame(wire.HELLO, hello=limits)


def opened(call: int, method: str, message: bytes | None = None, **fields: Any) -> link_pb2.Frame:
    """The beginning of a call; with a message the whole of a unary request."""
    if message is not None:
        fields = {"message": message, "last": True, **fields}
    return frame(wire.OPEN, call, method=method, **fields)


def batches(outbox: FrameQueue) -> Iterable[Message]:
    """The batches that the writer would send now, one by one."""
    while outbox._waiting():
        for batch, ends in outbox._taken():
            outbox.unsent -= ends
            yield batch


def drained(outbox: FrameQueue) -> list[Any]:
    """The frames of all of them."""
    return [each for batch in batches(outbox) for each in batch.frames]  # type: ignore[attr-defined]  # either side's


async def settle(turns: int = 20) -> None:
    """Let everything happen that needs no more than the loop."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def joined(caller: Caller, callee: Callee, turns: int = 50) -> None:
    """Carry what each says to the other, until both are silent."""
    for _ in range(turns):
        await settle(3)
        there, back = list(batches(caller.connection.outbox)), list(batches(callee.incoming.outbox))
        if not there and not back:
            return
        for batch in there:
            callee.incoming.received(batch.SerializeToString())
        for batch in back:
            if batch.frames[0].kind == wire.HELLO:  # type: ignore[attr-defined]  # see above
                del batch.frames[0]  # type: ignore[attr-defined]
            caller.connection.received(batch.SerializeToString())
