"""An adapter's message goes on as it came where nothing but events is in it: its contract and the gateway's carry `StreamEvents`."""

from __future__ import annotations

from typing import Any

import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh.mesh.v1 import carries_pb2
from llm_mesh_gateway.domain.outlets import Streamed
from llm_mesh_gateway.domain.ports import Piece
from llm_mesh_gateway.peers import AdapterPeers
from tests.gateway.fakes import StreamEvent, report, started, text

CARRIES: Any = carries_pb2.carries
EVENTS = [started(), text("one"), StreamEvent(), text("two", 1), StreamEvent(usage=generate_pb2.Usage(output_tokens=2))]


class Caller:
    """Takes what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    async def write(self, raw: bytes) -> None:
        self.written.append(raw)

    def read(self) -> list[gateway_pb2.GenerateStreamResponse]:
        return [gateway_pb2.GenerateStreamResponse.FromString(raw) for raw in self.written]


class Channel:
    """Leads to an adapter that says one message."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def unary_stream(self, method: str, *, response_deserializer: object, **_: object) -> object:
        if method.endswith("/GenerateStream"):
            self._parse = response_deserializer
        return lambda _request: self

    def unary_unary(self, *_: object, **__: object) -> None:
        return None

    async def read(self) -> object:
        return self._parse(self._raw)  # type: ignore[operator]


async def received(raw: bytes) -> Piece:
    call = AdapterPeers(lambda _name: Channel(raw)).stream("fake", adapter_pb2.GenerateStreamRequest())
    piece = await call.next()
    assert piece is not None
    return piece


@pytest.mark.parametrize(
    ("message", "carried"),
    [
        (adapter_pb2.GenerateStreamResponse, generate_pb2.StreamEvents),
        (gateway_pb2.GenerateStreamResponse, generate_pb2.StreamEvents),
        (embed_pb2.EmbedOutput, embed_pb2.EmbeddingBatch),
        (adapter_pb2.EmbedStreamResponse, embed_pb2.EmbeddingBatch),
        (gateway_pb2.EmbedStreamResponse, embed_pb2.EmbeddingBatch),
    ],
)
def test_what_is_relayed_is_carried_by_contract(message: Any, carried: Any) -> None:
    assert message.DESCRIPTOR.GetOptions().Extensions[CARRIES] == carried.DESCRIPTOR.full_name


async def test_events_go_on_as_they_came() -> None:
    caller, sent = Caller(), adapter_pb2.GenerateStreamResponse(events=EVENTS)
    piece = await received(sent.SerializeToString())
    assert piece.message is not None
    await Streamed(caller.write).release(piece)
    assert caller.read() == [gateway_pb2.GenerateStreamResponse(events=EVENTS)]


@pytest.mark.parametrize(
    "more",
    [
        adapter_pb2.GenerateStreamResponse(final=report()).SerializeToString(),
        gateway_pb2.GenerateStreamResponse(reservation="somebody's").SerializeToString(),  # a field that adapters may get one day
    ],
)
async def test_of_a_message_with_more_than_events_only_the_events_go_on(more: bytes) -> None:
    caller, sent = Caller(), adapter_pb2.GenerateStreamResponse(events=EVENTS)
    await Streamed(caller.write).release(await received(sent.SerializeToString() + more))
    assert caller.read() == [gateway_pb2.GenerateStreamResponse(events=EVENTS)]


async def test_a_message_without_events_does_not_go_on() -> None:
    caller = Caller()
    await Streamed(caller.write).release(await received(b""))
    assert caller.written == []
