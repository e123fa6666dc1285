"""Streams of recorded bytes: alike wherever they are cut, as events and as a JSON array; typed errors for everything else."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_gemini.provider.stream import ChunkStream
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.framing import Frame
from llm_mesh_adapter_kit.json_array import EVENTS_OR_ARRAY
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_dialects.gemini.vocabulary import FINISHES
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_gemini.conftest import attempt, saying, scripted
from tests.adapter_kit.scripted_provider import chunked, sized

EVENTS, JSON = b"content-type: text/event-stream", b"content-type: application/json; charset=UTF-8"
USED = {"promptTokenCount": 7, "totalTokenCount": 7}
FINAL = {
    "promptTokenCount": 7,
    "candidatesTokenCount": 5,
    "thoughtsTokenCount": 11,
    "cachedContentTokenCount": 3,
    "toolUsePromptTokenCount": 2,
    "totalTokenCount": 25,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}, {"modality": "AUDIO", "tokenCount": 4}],
    "trafficType": "ON_DEMAND_PRIORITY",
}


def chunk(*parts: dict[str, Any], used: dict[str, Any] = USED, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0, **more}
    return {"candidates": [candidate], "usageMetadata": used, "modelVersion": "gemini-3-pro-preview", "responseId": "r1"}


CHUNKS = [
    chunk({"text": "Mal sehen, ", "thought": True}),
    chunk({"text": "Grüße 🌍"}, safetyRatings=[{"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"}]),
    chunk({"functionCall": {"name": "f", "willContinue": True}, "thoughtSignature": "c2ln"}),
    chunk(
        {"functionCall": {"partialArgs": [{"jsonPath": "$.place.name", "stringValue": "New ", "willContinue": True}], "willContinue": True}}
    ),
    chunk({"functionCall": {"partialArgs": [{"jsonPath": "$.place.name", "stringValue": "York"}], "willContinue": True}}),
    chunk({"functionCall": {"partialArgs": [{"jsonPath": "$.days[1]", "numberValue": 2}], "willContinue": True}}),
    chunk(
        {
            "functionCall": {
                "partialArgs": [{"jsonPath": "$['a\\'b']", "boolValue": False}, {"jsonPath": "$.none", "nullValue": "NULL_VALUE"}]
            }
        }
    ),
    chunk({"functionCall": {"id": "own-1", "name": "g", "args": {"x": 1.5}}}),
    chunk(used=FINAL, finishReason="STOP", groundingMetadata={"webSearchQueries": ["q"]}),
]
AS_EVENTS = b"".join(b"data: " + json.dumps(each, ensure_ascii=False).encode() + b"\r\n\r\n" for each in CHUNKS)
AS_ARRAY = json.dumps(CHUNKS, ensure_ascii=False).replace("}, {", "}\n,\r\n{").encode()


def read(*pieces: bytes) -> list[generate_pb2.StreamEvent]:
    message = adapter_pb2.GenerateStreamResponse()
    stream, parser = ChunkStream("google"), EVENTS_OR_ARRAY.parser()
    meter = AttemptMeter(attempt(), 100)
    for piece in pieces:
        stream.feed(parser.feed(piece), message.events, meter)
    stream.feed(parser.rest(), message.events, meter)
    return [*message.events, *stream.finish()]


def framed(*pieces: bytes) -> list[Frame]:
    parser = EVENTS_OR_ARRAY.parser()
    return [frame for piece in pieces for frame in parser.feed(piece)] + parser.rest()


WHOLE = read(AS_EVENTS)


@pytest.mark.parametrize("body", [AS_EVENTS, AS_ARRAY], ids=["events", "array"])
def test_a_stream_is_the_same_wherever_it_is_cut(body: bytes) -> None:
    whole = framed(body)
    for cut in range(len(body) + 1):
        assert framed(body[:cut], body[cut:]) == whole, cut
    for cut in range(0, len(body), 41):  # what frames mean does not depend on how they were cut, but on which of them come together
        assert read(body[:cut], body[cut:]) == WHOLE, cut
    assert read(*(body[place : place + 1] for place in range(len(body)))) == WHOLE


def test_everything_that_was_said_arrives() -> None:
    kinds = [event.WhichOneof("kind") for event in WHOLE]
    calls = ["reasoning", "tool_call_started", "tool_call", "tool_call_started", "tool_call"]
    assert kinds == ["started", "reasoning", "text", *calls, "choice_finished", "usage", "finished"]
    started = [event.tool_call_started for event in WHOLE if event.HasField("tool_call_started")]
    assert [(call.index, call.name) for call in started] == [(0, "f"), (1, "g")]
    assert started[1].id == "own-1"
    arguments = [json.loads(event.tool_call.arguments_json) for event in WHOLE if event.HasField("tool_call")]
    assert arguments == [{"place": {"name": "New York"}, "days": [None, 2], "a'b": False, "none": None}, {"x": 1.5}]
    finished = next(event.choice_finished for event in WHOLE if event.HasField("choice_finished"))
    assert finished.finish_reason == generate_pb2.FINISH_REASON_TOOL_CALLS
    assert {extra.key for extra in finished.extras} == {"safetyRatings", "groundingMetadata"}


def test_usage_counts_thoughts_tools_cache_and_sound() -> None:
    used = next(event.usage for event in WHOLE if event.HasField("usage"))
    assert (used.input_tokens, used.output_tokens, used.reasoning_output_tokens) == (9, 16, 11)
    assert (used.cached_input_tokens, used.audio_input_tokens) == (3, 4)
    assert used.service_tier == generate_pb2.SERVICE_TIER_PRIORITY
    assert {extra.key: json.loads(extra.json) for extra in used.extras} == {"promptTokensDetails": FINAL["promptTokensDetails"]}


@pytest.mark.parametrize("framed", [chunked([AS_EVENTS[:700], AS_EVENTS[700:]], EVENTS), chunked([AS_ARRAY], JSON), chunked([AS_ARRAY])])
async def test_both_framings_are_read_over_http(framed: bytes) -> None:
    async with scripted(framed) as (adapter, provider):
        events, report = await adapter.stream(saying())
        whole = await adapter.generate(saying())
    assert [event.WhichOneof("kind") for event in events] == [event.WhichOneof("kind") for event in WHOLE]
    assert report.usage.output_tokens == 16
    assert b":streamGenerateContent?alt=sse HTTP" in provider.requests[0]
    assert b":generateContent HTTP" in provider.requests[1]
    parts = [part.WhichOneof("kind") for part in whole.output.choices[0].message.parts]
    assert parts == ["reasoning", "text", "reasoning", "tool_call", "tool_call"], "an array where one object was requested is read, too"


@pytest.mark.parametrize("word", sorted(FINISHES))
def test_every_end_has_its_reason(word: str) -> None:
    events = read(b"data: " + json.dumps(chunk({"text": "x"}, finishReason=word)).encode() + b"\n\n")
    finished = next(event.choice_finished for event in events if event.HasField("choice_finished"))
    assert (finished.finish_reason, finished.native_finish_reason) == (FINISHES[word], word)
    assert finished.finish_reason != generate_pb2.FINISH_REASON_UNSPECIFIED


def test_every_finish_reason_of_the_official_library_is_known() -> None:
    from google.genai import types  # noqa: PLC0415 (a second to load)

    assert {reason.value for reason in types.FinishReason} == FINISHES.keys()


BROKEN = {
    "truncated": (chunked([AS_EVENTS[:200]], EVENTS), "PROVIDER_RESET"),
    "array-truncated": (chunked([AS_ARRAY[:300]], JSON), "PROVIDER_RESET"),
    "no-end": (chunked([b"data: " + json.dumps(chunk({"text": "x"})).encode() + b"\n\n"], EVENTS), "PROVIDER_RESET"),
    "html": (sized(b"<html></html>", b"content-type: text/html"), "PROVIDER_MALFORMED"),
    "html-as-json": (sized(b"<html></html>", JSON), "PROVIDER_RESET"),
    "no-json": (chunked([b'data: {"candidates": [}\n\n'], EVENTS), "PROVIDER_MALFORMED"),
    "candidates": (chunked([b'data: {"candidates": {"a": 1}}\n\n'], EVENTS), "PROVIDER_MALFORMED"),
    "numbers": (chunked([b"[1, 2]"], JSON), "PROVIDER_MALFORMED"),
    "empty": (sized(b"", EVENTS), "PROVIDER_RESET"),
    "path": (
        chunked(
            [b"data: " + json.dumps(chunk({"functionCall": {"name": "f", "partialArgs": [{"jsonPath": "x"}]}})).encode() + b"\n\n"], EVENTS
        ),
        "PROVIDER_MALFORMED",
    ),
    "deep": (chunked([AS_EVENTS[:-2] + b'\n\ndata: {"x": ' + b"[" * 300 + b"]" * 300 + b"}\n\n"], EVENTS), "PROVIDER_MALFORMED"),
    "deep-in-array": (chunked([AS_ARRAY.rstrip()[:-1] + b',{"x": ' + b"[" * 300 + b"]" * 300 + b"}]"], JSON), "PROVIDER_MALFORMED"),
    "error-in-stream": (
        chunked(
            [AS_EVENTS[:500].rpartition(b"data:")[0], b'data: {"error":{"code":503,"status":"UNAVAILABLE","message":"m"}}\n\n'], EVENTS
        ),
        "PROVIDER_ERROR",
    ),
    "error-in-array": (sized(b'[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"m"}}]', JSON), "PROVIDER_RATE_LIMITED"),
    "blocked": (
        chunked([b'data: {"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":9}}\n\n'], EVENTS),
        "PROVIDER_FILTERED",
    ),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
async def test_what_is_no_stream_of_the_dialect_is_a_typed_error(name: str) -> None:
    answer, reason = BROKEN[name]
    async with scripted(answer) as (adapter, _):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await adapter.stream(saying())
    assert from_rpc_error(failure.value).reason_name == reason


async def test_a_blocked_prompt_says_why_and_what_it_used() -> None:
    blocked = {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "no"},
        "usageMetadata": {"promptTokenCount": 9},
    }
    body = json.dumps(blocked).encode()
    async with scripted(chunked([b"data: " + body + b"\n\n"], EVENTS)) as (adapter, _):
        with pytest.raises(grpc.aio.AioRpcError) as streamed:
            await adapter.stream(saying())
    async with scripted(sized(body, JSON)) as (adapter, _):
        with pytest.raises(grpc.aio.AioRpcError) as whole:
            await adapter.generate(saying())
    for failure in (streamed, whole):
        error = from_rpc_error(failure.value)
        assert error.reason_name == "PROVIDER_FILTERED"
        assert error.metadata["provider_code"] == "PROHIBITED_CONTENT"
    assert from_rpc_error(streamed.value).metadata["input_tokens"] == "9"


def test_halves_of_a_surrogate_pair_in_two_chunks_are_joined() -> None:
    halves = [chunk({"text": "a\ud83c"}), chunk({"text": "\udf0d!"}, finishReason="STOP")]
    events = read(b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in halves))
    assert "".join(event.text.text for event in events) == "a🌍!"


def test_arguments_have_a_bound() -> None:
    piece = {"jsonPath": "$.a", "stringValue": "x" * 2**20, "willContinue": True}
    calls = [
        chunk({"functionCall": {"name": "f" if number == 0 else None, "partialArgs": [piece], "willContinue": True}}) for number in range(5)
    ]
    with pytest.raises(AdapterError, match="fewer pieces"):
        read(*(b"data: " + json.dumps(each).encode() + b"\n\n" for each in calls))
