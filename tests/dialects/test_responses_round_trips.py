"""Responses for clients: whatever comes, events and response follow the dialect, whole and streamed say the same, and answers go back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects import responses
from llm_mesh_dialects.errors import DialectError

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
WHOLE: TypeAdapter[Response] = TypeAdapter(Response)
FACTS = responses.ResponseFacts("resp_1", 7)
ASKED = generate_pb2.GenerateInput(model="m", source_dialect="responses")
CUSTOM = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "d", "name": "g", "input": "x", "status": "completed"}

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
parts = st.one_of(
    texts.map(lambda text: content_pb2.Part(text=content_pb2.Text(text=text))),
    texts.map(lambda text: content_pb2.Part(refusal=content_pb2.Refusal(text=text))),
    st.builds(
        lambda text, proof: content_pb2.Part(reasoning=content_pb2.Reasoning(text=text, signature=proof)), texts, st.sampled_from(["", "p"])
    ),
    st.builds(
        lambda name, text: content_pb2.Part(
            tool_call=content_pb2.ToolCall(id="c", name=name, arguments_json=json.dumps({"a": text})),
        ),
        st.sampled_from(["f", "g"]),
        texts,
    ),
    st.just(
        content_pb2.Part(
            opaque=content_pb2.OpaquePart(dialect="responses", type="custom_tool_call", json=json.dumps(CUSTOM).encode(), item=True)
        )
    ),
)
finishes = st.sampled_from([generate_pb2.FINISH_REASON_STOP, generate_pb2.FINISH_REASON_LENGTH, generate_pb2.FINISH_REASON_CONTENT_FILTER])


@st.composite
def outputs(draw: st.DrawFn) -> generate_pb2.GenerateOutput:
    output = generate_pb2.GenerateOutput(id="x", model="m", created=9, usage=generate_pb2.Usage(input_tokens=3, output_tokens=2))
    message = content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=draw(st.lists(parts, max_size=5)))
    output.choices.add(message=message, finish_reason=draw(finishes))
    return output


def written(events: Iterable[generate_pb2.StreamEvent]) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
    """The events of the dialect as a client reads them, and the response."""
    writer = responses.ResponseWriter(ASKED, FACTS)
    made = [json.dumps(each) for event in events for each in writer.write([event])]
    made += [json.dumps(each) for each in writer.close({})]
    return [json.loads(each) for each in made], writer.response


@given(outputs())
def test_events_are_numbered_and_in_order_and_the_sdk_knows_each(output: generate_pb2.GenerateOutput) -> None:
    events, response = written(responses.events_of(output))
    assert [each["sequence_number"] for each in events] == list(range(len(events)))
    assert [each["type"] for each in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1] == {"type": f"response.{response['status']}", "response": response, "sequence_number": len(events) - 1}
    for each in events:
        EVENT.validate_python(each)
    WHOLE.validate_python(response)
    begun = [each["output_index"] for each in events if each["type"] == "response.output_item.added"]
    done = {each["output_index"]: each["item"] for each in events if each["type"] == "response.output_item.done"}
    assert begun == sorted(begun) == list(range(len(response["output"])))
    assert [done[index] for index in begun] == response["output"]


@given(outputs())
def test_deltas_make_up_what_is_whole_in_the_end(output: generate_pb2.GenerateOutput) -> None:
    events, response = written(responses.events_of(output))
    said = {(0, 0): ""}
    for each in events:
        if each["type"] in {"response.output_text.delta", "response.refusal.delta"}:
            place = each["output_index"], each["content_index"]
            said[place] = said.get(place, "") + each["delta"]
    for index, item in enumerate(response["output"]):
        for number, content in enumerate(item.get("content", ()) if item["type"] == "message" else ()):
            assert said[index, number] == content.get("text", content.get("refusal"))


@given(outputs(), st.data())
def test_a_text_that_comes_in_pieces_makes_the_same_response(output: generate_pb2.GenerateOutput, data: st.DataObject) -> None:
    pieces: list[generate_pb2.StreamEvent] = []
    for event in responses.events_of(output):
        text = event.text.text
        cut = data.draw(st.integers(0, len(text))) if len(text) > 1 else 0
        if cut:
            pieces.append(generate_pb2.StreamEvent(text=generate_pb2.TextDelta(text=text[:cut], extras=event.text.extras)))
            event.text.text = text[cut:]
            event.text.ClearField("extras")
        pieces.append(event)
    assert written(pieces)[1] == written(responses.events_of(output))[1]


@given(outputs())
def test_what_was_answered_goes_back_with_nothing_lost(output: generate_pb2.GenerateOutput) -> None:
    _, response = written(responses.events_of(output))
    read = generate_pb2.GenerateInput()
    responses.body_into_input(read, {"model": "m", "input": [*response["output"], {"role": "user", "content": "more"}]})
    before = [part for part in output.choices[0].message.parts if part.WhichOneof("kind") != "reasoning"]
    after = [part for message in read.messages[:-1] for part in message.parts if part.WhichOneof("kind") != "reasoning"]
    assert _said(before) == _said(after)
    proofs = [part.reasoning.signature for part in output.choices[0].message.parts if part.reasoning.signature]
    assert [part.reasoning.signature for message in read.messages for part in message.parts if part.reasoning.signature] == proofs


def _said(parts: Iterable[content_pb2.Part]) -> list[str]:
    """Texts that follow one another are one text of a client."""
    said: list[str] = []
    for part in parts:
        kind = part.WhichOneof("kind") or ""
        text = {"text": part.text.text, "refusal": part.refusal.text, "tool_call": part.tool_call.arguments_json}.get(kind, kind)
        if said and kind in {"text", "refusal"} and said[-1].startswith(f"{kind}:"):
            said[-1] += text
        else:
            said.append(f"{kind}:{text}")
    return said


def test_a_response_that_fails_ends_what_is_open() -> None:
    writer = responses.ResponseWriter(ASKED, FACTS)
    writer.write([generate_pb2.StreamEvent(text=generate_pb2.TextDelta(text="half"))])
    events = writer.fail("server_error", "it broke off", {})
    assert [each["type"] for each in events][-2:] == ["response.output_item.done", "response.failed"]
    assert events[-2]["item"]["status"] == "incomplete"
    assert events[-1]["response"]["error"] == {"code": "server_error", "message": "it broke off"}


def test_hidden_reasoning_goes_back_as_it_came() -> None:
    writer = responses.ResponseWriter(ASKED, FACTS)
    writer.write([generate_pb2.StreamEvent(reasoning=generate_pb2.ReasoningDelta(redacted=b"\0hidden"))])
    writer.close({})
    read = generate_pb2.GenerateInput()
    responses.body_into_input(read, {"model": "m", "input": writer.response["output"]})
    assert read.messages[0].parts[0].reasoning == content_pb2.Reasoning(redacted=b"\0hidden")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.x\ndata: {}\n\nevent: response.completed"},
        {"type": "response.completed", "response": {}},
        {"type": "error", "message": "x"},
        {"type": "response.created"},
    ],
)
def test_an_event_of_a_provider_neither_ends_a_response_nor_writes_a_line_of_its_own(event: dict[str, Any]) -> None:
    opaque = content_pb2.OpaquePart(dialect="responses", type=event["type"], json=json.dumps(event).encode())
    events, response = written([generate_pb2.StreamEvent(opaque=opaque)])
    assert [each["type"] for each in events] == ["response.created", "response.in_progress", "response.completed"]
    assert response["output"] == []


def test_an_event_is_named_by_what_the_mesh_read_and_not_by_its_text() -> None:
    opaque = content_pb2.OpaquePart(dialect="responses", type="response.web_search_call.searching", json=b'{"type": 7, "item_id": "w"}')
    events, _ = written([generate_pb2.StreamEvent(opaque=opaque)])
    assert "response.web_search_call.searching" in [each["type"] for each in events]


@pytest.mark.parametrize("json_text", [b"[]", b'"x"', b'{"type": "response.output_item.added", "item": 7}'])
def test_what_is_no_object_is_a_complaint(json_text: bytes) -> None:
    opaque = content_pb2.OpaquePart(dialect="responses", type="response.output_item.added", json=json_text)
    with pytest.raises(DialectError):
        written([generate_pb2.StreamEvent(opaque=opaque)])


@given(outputs())
def test_places_are_those_of_the_parts_that_are_read(output: generate_pb2.GenerateOutput) -> None:
    _, response = written(responses.events_of(output))
    body = {"model": "m", "instructions": "i", "input": [{"role": "user", "content": "x"}, *response["output"]]}
    read = generate_pb2.GenerateInput()
    responses.body_into_input(read, body)
    assert [len(each) for each in responses.places_of(body)] == [len(message.parts) for message in read.messages]
