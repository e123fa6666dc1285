"""An adapter's message goes on as it came where that says the same: both contracts have the events in the same place."""

from __future__ import annotations

import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_gateway.domain.outlets import Streamed
from llm_mesh_gateway.domain.ports import Piece
from llm_mesh_gateway.peers import AdapterPeers
from tests.gateway.fakes import StreamEvent, report, started, text

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


def test_all_contracts_have_the_vectors_in_the_same_field() -> None:
    fields = [
        message.DESCRIPTOR.fields_by_name["embeddings"]
        for message in (embed_pb2.EmbedOutput, adapter_pb2.EmbedStreamResponse, gateway_pb2.EmbedStreamResponse)
    ]
    assert len({(field.number, field.type, field.is_repeated, field.message_type) for field in fields}) == 1


def test_both_contracts_have_the_events_in_the_same_field() -> None:
    messages = (gateway_pb2.GenerateStreamResponse, adapter_pb2.GenerateStreamResponse)
    ours, theirs = (message.DESCRIPTOR.fields_by_name["events"] for message in messages)
    assert (ours.number, ours.type, ours.is_repeated, ours.message_type) == (
        theirs.number, theirs.type, theirs.is_repeated, theirs.message_type,
    )  # fmt: skip


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
