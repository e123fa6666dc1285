"""What a hostile or broken peer may say: frames that are truncated, out of order, repeated, too large, of unknown calls and kinds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from hypothesis import strategies as st

from llm_mesh.link.v1 import link_pb2
from llm_mesh_runtime.access.tokens import HEADER
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.links.mux import wire
from llm_mesh_runtime.links.outbound import Outbound
from llm_mesh_runtime.links.remote import RemoteChannel
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.link.instances import TOKENS, Instance, channel_to, instances, until
from tests.link.peers import COUNT, SAY, SUM, TALK, Callee, Caller, Handlers, drained, frame, greeting, opened, settle

KNOWN = (("link.llm-mesh", "PROTOCOL_VIOLATION"), ("link.llm-mesh", "UNSUPPORTED_VERSION"))
_BODIES = st.sampled_from([None, b"", b"x", bytes(300), bytes(wire.PIECE), bytes(wire.PIECE + 1), bytes(200_000)])
_NUMBERS = st.sampled_from([0, 1, 2, 3, 4, 5, 7, 1000, 2**32 - 1])
_METADATA = st.sampled_from([[], [b"a", b"b"], [b"a"], [b"a", b"\xff"], [b"x-bin", b"\xff"], [b"\xff", b""], [b"a", bytes(20_000)]])


@st.composite
def any_frame(draw: st.DrawFn) -> link_pb2.Frame:
    """A frame without sense."""
    body = draw(_BODIES)
    made = frame(
        draw(st.sampled_from([*range(12), 99])),
        draw(_NUMBERS),
        more=draw(st.booleans()),
        last=draw(st.booleans()),
        method=draw(st.sampled_from(["", SAY, COUNT, SUM, TALK, "/nothing", "é"])),
        timeout_micros=draw(st.sampled_from([0, 1, 10**6, 2**64 - 1])),
        metadata=draw(_METADATA),
        code=draw(st.sampled_from([0, 1, 5, 16, 17, 2**32 - 1])),
        credit=draw(st.sampled_from([0, 1, 65536, 2**31 - 1, 2**31, 2**32 - 1])),
        size=draw(st.sampled_from([0, 1, 2, 301, wire.PIECE + 1, 10**6, wire.LARGEST, wire.LARGEST + 1, 2**32 - 1])),
        ping=draw(st.sampled_from([0, 1, 2**64 - 1])),
        serves_micros=draw(st.sampled_from([0, 1])),
    )
    if body is not None:
        made.message = body
    if draw(st.booleans()):
        made.hello.CopyFrom(greeting(**draw(st.sampled_from(_LIMITS))).hello)
    return made


_LIMITS: list[dict[str, int]] = [
    {},
    {"version": 0},
    {"version": 7},
    {"window": 0},
    {"window": 2**32 - 1},
    {"max_piece": 1},
    {"max_calls": 0},
    {"max_message": 0},
    {"max_metadata": 0},
    {"max_piece": 1024, "window": 1},
]

_SENSIBLE_THERE = [
    opened(1, SAY, b"one"),
    opened(2, COUNT, b"two"),
    opened(3, SUM),
    frame(wire.MESSAGE, 3, message=b"three"),
    frame(wire.MESSAGE, 3, message=b"thr", more=True, size=5),
    frame(wire.MESSAGE, 3, message=b"ee"),
    frame(wire.MESSAGE, 3, last=True),
    opened(4, TALK),
    frame(wire.MESSAGE, 4, message=bytes(wire.PIECE)),
    frame(wire.CREDIT, 4, credit=100_000),
    frame(wire.CREDIT, 2, credit=100_000),
    frame(wire.CANCEL, 4),
    opened(5, SAY),
    frame(wire.MESSAGE, 5, message=bytes(wire.PIECE), more=True, size=70_000),
    frame(wire.MESSAGE, 5, message=bytes(70_000 - wire.PIECE)),
    frame(wire.PING, ping=3),
]
_SENSIBLE_BACK = [
    frame(wire.END, 1, message=b"one"),
    frame(wire.HEADERS, 2, metadata=[b"a", b"b"]),
    frame(wire.MESSAGE, 2, message=b"two"),
    frame(wire.MESSAGE, 2, message=b"tw", more=True, size=3),
    frame(wire.MESSAGE, 2, message=b"o"),
    frame(wire.END, 2),
    frame(wire.CREDIT, 3, credit=100_000),
    frame(wire.MESSAGE, 3, message=bytes(wire.PIECE), more=True, size=70_000),
    frame(wire.MESSAGE, 3, message=bytes(70_000 - wire.PIECE)),
    frame(wire.END, 3),
    frame(wire.MESSAGE, 4, message=b"four"),
    frame(wire.END, 4, code=5, details="no", metadata=[b"a", b"b"]),
    frame(wire.PING, ping=3),
    frame(wire.GO_AWAY, serves_micros=1),
    frame(wire.GO_AWAY),
]


def _spoilt(sensible: Sequence[link_pb2.Frame]) -> st.SearchStrategy[list[link_pb2.Frame]]:
    """A sensible conversation in another order, with parts that are missing, repeated, or without sense."""
    step = st.one_of(st.sampled_from(sensible), st.sampled_from(sensible), any_frame())
    return st.one_of(st.permutations(sensible), st.lists(step, max_size=30))


@dataclass(frozen=True, repr=False)
class Said:
    """Batches, the last of them cut or changed at a byte."""

    frames: list[link_pb2.Frame]
    splits: set[int]
    cut: int
    flip: int

    def __repr__(self) -> str:
        shown = " | ".join(" ".join(str(each).replace("\\000", "").split())[:160] for each in self.frames)
        return f"<{shown}; splits {sorted(self.splits)}, cut {self.cut}, flip {self.flip}>"

    def batches(self, make: Any) -> list[bytes]:
        """As bytes."""
        raws, frames = [], list[link_pb2.Frame]()
        for number, each in enumerate(self.frames):
            frames.append(each)
            if number in self.splits:
                raws.append(make(frames=frames).SerializeToString())
                frames = []
        last = bytearray(make(frames=frames).SerializeToString())
        if self.flip and last:
            last[self.flip % len(last)] ^= 1 + self.flip % 255
        return [*raws, bytes(last[: len(last) - self.cut] if self.cut else last)]


@st.composite
def _said(draw: st.DrawFn, frames: st.SearchStrategy[list[link_pb2.Frame]]) -> Said:
    splits = draw(st.sets(st.integers(0, 30), max_size=5))
    return Said(draw(frames), splits, draw(st.integers(0, 3)), draw(st.integers(0, 2000)))


TO_CALLEE = _said(_spoilt(_SENSIBLE_THERE))
TO_CALLER = _said(_spoilt(_SENSIBLE_BACK))


async def callee_hears(said: Said, *, holding: bool) -> bool:
    """The callee takes it, or ends the connection with a typed fault; nothing stays behind, and nothing grows. Whether it ended it."""
    ended = False
    handlers = Handlers()
    handlers.answers = [bytes(1000)] * 500
    if holding:
        handlers.go.clear()
    callee = Callee(handlers)
    callee.say(greeting())
    try:
        for raw in said.batches(link_pb2.ConnectRequest):
            callee.incoming.received(raw)
            await settle(5)
            waiting = sum(each.ByteSize() for each in drained(callee.incoming.outbox))
            assert waiting < len(raw) * 50 + 8 * (wire.WINDOW + 10_000) + 8 * 2**20
    except MeshError as fault:
        _is_the_links(fault)
        ended = True
    callee.incoming.lost()
    await settle(100)
    assert not callee.incoming.calls
    assert not callee.work.running
    assert callee.incoming._room.taken == 0
    return ended


async def caller_hears(said: Said) -> bool:
    """Likewise the caller: each of its calls ends, with an answer or a status."""
    ended = False
    caller = Caller()
    calls = [
        caller.call(SAY, b"one"),
        caller.call(COUNT, b"two", streams=True),
        caller.call(SUM),
        caller.call(TALK, streams=True),
    ]
    readers = [asyncio.ensure_future(_read(call)) for call in calls if call.inflow is not None]
    try:
        for raw in said.batches(link_pb2.ConnectResponse):
            caller.connection.received(raw)
            await settle(5)
    except MeshError as fault:
        _is_the_links(fault)
        ended = True
    caller.connection.lost()
    async with asyncio.timeout(5):
        await asyncio.gather(*readers)
    assert all(call.code is not None for call in calls)
    assert not caller.connection.calls
    assert caller.connection._room.taken == 0
    return ended


async def listener_hears(said: Said) -> bool:
    """Over gRPC the hostile caller is told why, if anything; a peaceful one is served before and afterwards on its own connection."""
    one = Instance()
    async with instances(one), channel_to(one.target) as channel:
        say = channel.unary_unary(SAY)
        assert await say(b"before", timeout=10) == b"before"
        told = await _told(one, said)
        assert await say(b"after", timeout=10) == b"after"
        await until(lambda: one.link is not None and len(one.link._connections) == 1)
        assert await say(b"at rest", timeout=10) == b"at rest"
    return told


async def _told(one: Instance, said: Said) -> bool:
    """Says it all and half-closes. Whether the listener ended the connection with a fault."""
    token = ((HEADER, TOKENS.token("console", "echo")),)
    plain = RemoteChannel("echo", one.target, Outbound("console", identity=lambda: token))
    call: Any = plain.stream_stream(wire.PATH)(timeout=10)
    reading = asyncio.ensure_future(_read_all(call))
    try:
        await call.write(link_pb2.ConnectRequest(frames=[greeting()]).SerializeToString())
        for raw in said.batches(link_pb2.ConnectRequest):
            await call.write(raw)
        await call.done_writing()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        pass  # it is over: what was read says why
    fault = await reading
    await plain.close()
    if fault is not None:
        _is_the_links(from_rpc_error(fault))
    return fault is not None


async def _read_all(call: Any) -> grpc.aio.AioRpcError | None:
    try:
        while await call.read() is not grpc.aio.EOF:
            pass
    except grpc.aio.AioRpcError as error:
        return error
    return None


def _is_the_links(fault: MeshError) -> None:
    assert (fault.domain, fault.reason_name) in KNOWN


async def _read(call: Any) -> None:
    while await call.inflow.read() is not None:
        pass
