"""What a provider calls its events writes no line of its own into a client's stream, and does not end it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects import anthropic, responses

Writer = Callable[[generate_pb2.StreamEvent], bytes]


def of_responses(event: generate_pb2.StreamEvent) -> bytes:
    writer = responses.ResponseWriter(generate_pb2.GenerateInput(model="m"), responses.ResponseFacts("resp_1", 1))
    return frames(writer.write([generate_pb2.StreamEvent(started=generate_pb2.Started()), event]))


def frames(events: Sequence[dict[str, object]]) -> bytes:
    return b"".join(b"event: %b\ndata: %b\n\n" % (str(each["type"]).encode(), orjson.dumps(each)) for each in events)


def of_anthropic(event: generate_pb2.StreamEvent) -> bytes:
    writer = anthropic.streams.EventWriter()
    return writer.write(generate_pb2.StreamEvent(started=generate_pb2.Started())) + writer.write(event)


def names(data: bytes) -> list[str]:
    """What a client reads: each frame has one line with its name and one with its data, which says the same."""
    read = []
    for frame in data.decode().split("\n\n")[:-1]:
        name, value = frame.split("\n")
        assert name == f"event: {json.loads(value.removeprefix('data: '))['type']}"
        read.append(name.removeprefix("event: "))
    return read


WRITERS = {"responses": of_responses, "anthropic": of_anthropic}
HOSTILE = [
    "x\nevent: message_stop",
    "x\r\ndata: {}",
    "response.x\n\ndata: {}",
    "",
    "Ünicode",
    "error",
    "message_stop",
    "response.completed",
]


@pytest.mark.parametrize("dialect", WRITERS)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_not_passed_on(dialect: str, name: str) -> None:
    opaque = content_pb2.OpaquePart(dialect=dialect, type=name, json=b'{"a": 1}')
    read = names(WRITERS[dialect](generate_pb2.StreamEvent(opaque=opaque)))
    assert read in (["response.created", "response.in_progress"], ["message_start"]) or (name in read and {dialect, name} in OTHERS)


OTHERS = ({"responses", "message_stop"}, {"anthropic", "response.completed"})
"""A name that ends the streams of the other dialect says nothing in this one."""


@pytest.mark.parametrize("dialect", WRITERS)
@given(name=st.text(max_size=12))
def test_each_name_is_one_line_whatever_it_is(dialect: str, name: str) -> None:
    opaque = content_pb2.OpaquePart(dialect=dialect, type=name.encode(errors="replace").decode(), json=b'{"a": 1}')
    names(WRITERS[dialect](generate_pb2.StreamEvent(opaque=opaque)))
