"""The law of Google's dialect: from JSON to the typed payload and back is the same JSON, modelled or not, as far as it is allowed."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_kit.conversions import Collector
from llm_mesh_dialects.addresses import MediaRule
from llm_mesh_dialects.allowing import Allowance
from llm_mesh_dialects.gemini import requests, responses
from llm_mesh_dialects.gemini.quirks import GeminiQuirks
from llm_mesh_dialects.gemini.spelling import normalised
from llm_mesh_dialects.gemini.streams import ArrayFrames, EventFrames, GeminiChunkReader, GeminiChunkWriter
from llm_mesh_dialects.proofs import ProofOrigin
from tests.dialects import google_bodies as bodies

EVERYTHING = Allowance(extras=frozenset({"*"}), media=MediaRule(frozenset({"*"})))
WITHOUT_PLACEHOLDERS = GeminiQuirks(proofs=False)
UNHURRIED = settings(max_examples=40)


def read(body: dict[str, Any]) -> generate_pb2.GenerateInput:
    made = generate_pb2.GenerateInput()
    requests.body_into_input(made, body, model="m")
    return generate_pb2.GenerateInput.FromString(made.SerializeToString())


@UNHURRIED
@given(bodies.requests())
def test_a_request_comes_back_as_it_was(body: dict[str, Any]) -> None:
    before = json.dumps(body)
    written = requests.input_to_body(read(body), WITHOUT_PLACEHOLDERS, origin=bodies.ORIGIN, allowance=EVERYTHING)
    assert written.body == with_own_proofs(body)
    assert written.translations == []
    assert json.dumps(body) == before, "the body is left alone"


def with_own_proofs(value: Any) -> Any:
    """As the provider itself gave the proofs."""
    if isinstance(value, list):
        return [with_own_proofs(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: "c2ln" if key == "thoughtSignature" else with_own_proofs(inner) for key, inner in value.items()}


@UNHURRIED
@given(bodies.requests())
def test_a_request_to_elsewhere_takes_no_proof_along(body: dict[str, Any]) -> None:
    written = requests.input_to_body(
        read(body), WITHOUT_PLACEHOLDERS, origin=ProofOrigin("gemini", b"secret", "elsewhere"), allowance=EVERYTHING
    )
    assert "thoughtSignature" not in json.dumps(written.body)
    assert any(each.field.endswith("reasoning.signature") for each in written.translations) == ("thoughtSignature" in json.dumps(body))


@UNHURRIED
@given(bodies.requests())
def test_both_spellings_say_the_same(body: dict[str, Any]) -> None:
    assert read(snake(body)) == read(body)


OWN = {"args", "response", "parametersJsonSchema", "labels", "partMetadata"}
"""The caller's own JSON."""


def snake(value: Any) -> Any:
    if isinstance(value, list):
        return [snake(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        re.sub("[A-Z]", lambda match: f"_{match[0].lower()}", key): inner if key in OWN else snake(inner) for key, inner in value.items()
    }


def test_what_is_nested_too_deeply_is_not_looked_into() -> None:
    deep: Any = {"a_b": 1}
    for _ in range(300):
        deep = [deep]
    assert "a_b" in json.dumps(normalised(deep)), "a deeper one would exhaust the stack; whoever reads it refuses it"
    assert normalised([{"a_b": 1}]) == [{"aB": 1}]


@UNHURRIED
@given(bodies.answers())
def test_an_answer_comes_back_as_it_was(body: dict[str, Any]) -> None:
    output = responses.body_to_output(body)
    assert responses.output_to_body(generate_pb2.GenerateOutput.FromString(output.SerializeToString()), shows_thoughts=True) == body


@st.composite
def chunked(draw: Any) -> list[dict[str, Any]]:
    """An answer in chunks, its texts cut anywhere, with some calls in pieces."""
    answer = draw(bodies.answers())
    chunks: list[dict[str, Any]] = []
    for candidate in answer["candidates"]:
        for part in candidate["content"]["parts"]:
            pieces = [part]
            if "text" in part:
                at = draw(st.integers(0, len(part["text"])))
                pieces = [{**part, "text": text} for text in (part["text"][:at], part["text"][at:]) if text]
            chunks += [{"candidates": [{"content": {"parts": [piece]}, "index": candidate["index"]}]} for piece in pieces]
    ends = [{key: value for key, value in each.items() if key != "content"} for each in answer["candidates"]]
    return [{**each, "responseId": "r", "modelVersion": "m"} for each in [*chunks, {**answer, "candidates": ends}]]


def collected(chunks: list[dict[str, Any]]) -> tuple[generate_pb2.GenerateOutput, list[generate_pb2.StreamEvent]]:
    output = generate_pb2.GenerateOutput()
    reader, collector = GeminiChunkReader(), Collector(output)
    events = [event for chunk in chunks for event in reader.feed(chunk)] + reader.finish()
    collector.collect(events)
    return output, events


@UNHURRIED
@given(chunks=chunked(), data=st.data(), array=st.booleans())
def test_a_stream_tells_the_same_however_it_is_cut(chunks: list[dict[str, Any]], data: Any, *, array: bool) -> None:
    output, events = collected(chunks)
    writer = GeminiChunkWriter(ArrayFrames() if array else EventFrames(), shows_thoughts=True)
    text = b""
    while events:
        size = data.draw(st.integers(1, len(events)))
        text += writer.write_all(events[:size])
        events = events[size:]
    text += writer.close({})
    written = json.loads(text) if array else [json.loads(each.removeprefix("data: ")) for each in text.decode().split("\n\n") if each]
    assert texts_of(collected(written)[0]) == texts_of(output)
    assert written[-1]["usageMetadata"] == chunks[-1]["usageMetadata"]


def texts_of(output: generate_pb2.GenerateOutput) -> Any:
    """What an answer says, by candidate: texts, thoughts, calls and the reason of the end."""
    return [
        (
            choice.index,
            "".join(part.text.text for part in choice.message.parts),
            "".join(part.reasoning.text for part in choice.message.parts),
            [
                (part.tool_call.id, part.tool_call.name, part.tool_call.arguments_json)
                for part in choice.message.parts
                if part.HasField("tool_call")
            ],
            choice.native_finish_reason,
        )
        for choice in output.choices
    ]
