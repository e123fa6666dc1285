"""The adapter against a provider that answers with given bytes, whole, cut everywhere, broken and wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_cohere.provider.dialect import CohereDialect
from llm_mesh_adapter_cohere.settings import Settings
from llm_mesh_adapter_cohere.wiring import service
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_adapter_kit.sse import EventParser
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_kit.scripted_provider import chunked, sized
from tests.adapter_kit.standing_adapter import EVENTS, JSON, standing

DIALECT = CohereDialect()
ENDPOINT = Endpoint(name="main", provider="Cohere", base_url="http://127.0.0.1:1", local=True, auth=Auth(required=False))
USAGE = {"billed_units": {"input_tokens": 7, "output_tokens": 5}, "tokens": {"input_tokens": 73, "output_tokens": 5}, "cached_tokens": 16}
CITATION = {"start": 0, "end": 5, "text": "Grüße", "sources": [{"type": "document", "id": "d1"}]}
CALL = {"id": "get_weather_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Zürich"}'}}


def event(kind: str, message: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more} | ({"delta": {"message": message}} if message is not None else {})


def end(word: str = "COMPLETE", **more: Any) -> dict[str, Any]:
    return {"id": "r1", "type": "message-end", "delta": {"finish_reason": word, "usage": USAGE, **more}}


def bytes_of(*events: dict[str, Any]) -> bytes:
    return "".join(f"event: {each['type']}\ndata: {json.dumps(each, ensure_ascii=False)}\n\n" for each in events).encode()


ANSWER = (
    event("message-start", {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}, id="r1"),
    event("content-start", {"content": {"type": "thinking", "thinking": ""}}, index=0),
    event("content-delta", {"content": {"thinking": "Hm."}}, index=0),
    event("content-end", index=0),
    event("content-start", {"content": {"type": "text", "text": ""}}, index=1),
    event("content-delta", {"content": {"text": "Gr"}}, index=1),
    event("content-delta", {"content": {"text": "üße"}}, index=1, logprobs={"text": "üße", "token_ids": [1, 2], "logprobs": [-1, -2]}),
    event("content-end", index=1),
    event("citation-start", {"citations": CITATION}, index=0),
    event("citation-end", index=0),
    end(),
)
CALLS = (
    ANSWER[0],
    event("tool-plan-delta", {"tool_plan": "I look."}),
    event("tool-call-start", {"tool_calls": CALL | {"function": {"name": "get_weather", "arguments": ""}}}, index=0),
    event("tool-call-delta", {"tool_calls": {"function": {"arguments": '{"city":'}}}, index=0),
    event("tool-call-delta", {"tool_calls": {"function": {"arguments": '"Zürich"}'}}}, index=0),
    event("tool-call-end", index=0),
    end("TOOL_CALL"),
)
WHOLE = {
    "id": "r1",
    "finish_reason": "COMPLETE",
    "message": {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Grüße"}],
        "citations": [CITATION],
    },
    "usage": USAGE,
}
STREAM, CALL_STREAM = bytes_of(*ANSWER), bytes_of(*CALLS)


def settings(endpoint: str) -> Settings:
    return Settings(endpoints={"main": endpoint})


def answered(body: bytes | dict[str, Any], header: bytes = JSON, status: bytes = b"200 OK") -> Sequence[bytes]:
    return [sized(body if isinstance(body, bytes) else json.dumps(body).encode(), header, status=status)]


def read(pieces: Sequence[bytes]) -> list[generate_pb2.StreamEvent]:
    """What the bytes mean, cut so."""
    parser, reader = EventParser(), DIALECT.reader(ENDPOINT)
    message, meter = adapter_pb2.GenerateStreamResponse(), AttemptMeter(plan_pb2.Attempt(), 0)
    for piece in pieces:
        reader.feed(parser.feed(piece), message.events, meter)
    return [*message.events, *reader.finish()]


@pytest.mark.parametrize("stream", [STREAM, CALL_STREAM, CALL_STREAM.replace(b"\n", b"\r\n")], ids=["text", "calls", "crlf"])
def test_a_stream_means_the_same_cut_at_every_byte_and_in_single_bytes(stream: bytes) -> None:
    whole = read([stream])
    assert read([stream[place : place + 1] for place in range(len(stream))]) == whole
    for place in range(1, len(stream)):
        assert read([stream[:place], stream[place:]]) == whole


async def test_a_streamed_answer_has_text_thinking_and_citations_and_is_billed_by_billed_units() -> None:
    async with standing(service, settings, [chunked([STREAM[:70], STREAM[70:]], EVENTS)]) as adapter:
        events, report = await adapter.stream()
    assert [each.WhichOneof("kind") for each in events] == [
        "started", "reasoning", "text", "text", "opaque", "choice_finished", "usage", "finished",
    ]  # fmt: skip
    assert "".join(each.text.text for each in events) == "Grüße"
    assert events[0].started.model == "big-1", "the provider does not say which model it was"
    assert [each.logprob for event in events for each in event.text.logprobs] == [-3]
    assert json.loads(next(each.opaque.json for each in events if each.HasField("opaque")))["delta"]["message"]["citations"] == CITATION
    assert (report.source, report.usage.input_tokens, report.usage.output_tokens) == (usage_pb2.USAGE_SOURCE_PROVIDER, 7, 5)
    apart = {each.key: json.loads(each.json) for each in report.usage.extras}
    assert apart == {"tokens": USAGE["tokens"], "cached_tokens": 16}, "what was counted is told apart from what is billed"


async def test_a_streamed_call_has_its_plan_and_its_arguments() -> None:
    async with standing(service, settings, [chunked([CALL_STREAM], EVENTS)]) as adapter:
        events, _ = await adapter.stream()
    assert "".join(each.text.text for each in events) == "I look."
    assert "".join(each.tool_call.arguments_json for each in events) == '{"city":"Zürich"}'
    started = next(each.tool_call_started for each in events if each.HasField("tool_call_started"))
    assert (started.id, started.name, started.index) == ("get_weather_1", "get_weather", 0)


def test_two_calls_with_one_index_stay_two_calls() -> None:
    def begun(identity: str) -> dict[str, Any]:
        return event("tool-call-start", {"tool_calls": CALL | {"id": identity, "function": {"name": "f", "arguments": identity}}}, index=0)

    events = read([bytes_of(ANSWER[0], begun("a"), begun("b"), end("TOOL_CALL"))])
    arguments = {each.tool_call.index: each.tool_call.arguments_json for each in events if each.HasField("tool_call")}
    assert arguments == {0: "a", 1: "b"}


async def test_a_whole_answer_has_its_parts_and_cites_its_sources() -> None:
    calls = WHOLE | {"finish_reason": "TOOL_CALL", "message": {"role": "assistant", "tool_plan": "I look.", "tool_calls": [CALL]}}
    async with standing(service, settings, answered(WHOLE), answered(calls)) as adapter:
        first, second = await adapter.generate(), await adapter.generate()
    parts = first.output.choices[0].message.parts
    assert [part.WhichOneof("kind") for part in parts] == ["reasoning", "text"]
    assert json.loads(parts[1].text.annotations[0].json) == CITATION
    assert (first.output.id, first.output.model, first.report.usage.input_tokens) == ("r1", "big-1", 7)
    plan, call = second.output.choices[0].message.parts
    assert (plan.text.text, call.tool_call.id, call.tool_call.arguments_json) == ("I look.", "get_weather_1", '{"city":"Zürich"}')


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("COMPLETE", generate_pb2.FINISH_REASON_STOP),
        ("STOP_SEQUENCE", generate_pb2.FINISH_REASON_STOP),
        ("MAX_TOKENS", generate_pb2.FINISH_REASON_LENGTH),
        ("TOOL_CALL", generate_pb2.FINISH_REASON_TOOL_CALLS),
        ("TIMEOUT", generate_pb2.FINISH_REASON_OTHER),
        ("NEWER", generate_pb2.FINISH_REASON_OTHER),
    ],
)
async def test_every_reason_of_an_end_is_mapped(word: str, reason: int) -> None:
    async with standing(service, settings, answered(WHOLE | {"finish_reason": word})) as adapter:
        choice = (await adapter.generate()).output.choices[0]
    assert (choice.finish_reason, choice.native_finish_reason) == (reason, word)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ([chunked([STREAM[: STREAM.rindex(b"event: message-end")]], EVENTS)], "PROVIDER_RESET"),
        ([chunked([STREAM[:-40]], EVENTS)], "PROVIDER_RESET"),
        ([chunked([b"data: {nonsense\n\n"], EVENTS)], "PROVIDER_MALFORMED"),
        ([chunked([b"data: []\n\n"], EVENTS)], "PROVIDER_MALFORMED"),
        ([chunked([bytes_of(ANSWER[0], CALLS[3])], EVENTS)], "PROVIDER_MALFORMED"),
        ([chunked([b"<html>", b"</html>"], b"content-type: text/html")], "PROVIDER_MALFORMED"),
        ([chunked([b"data: " + b"x" * 60_000, *[b"x" * 60_000] * 72], EVENTS)], "PROVIDER_MALFORMED"),
        ([chunked([bytes_of(ANSWER[0], end("ERROR", error="generation failed"))], EVENTS)], "PROVIDER_ERROR"),
        ([chunked([bytes_of(ANSWER[0], end("ERROR", error="too many tokens"))], EVENTS)], "CONTEXT_EXCEEDED"),
        (answered(WHOLE | {"finish_reason": "ERROR"}), "PROVIDER_ERROR"),
        (answered({"message": "model 'x' not found"}, status=b"404 Not Found"), "PROVIDER_MODEL_NOT_FOUND"),
        (answered({"message": "too many tokens: total"}, status=b"400 Bad Request"), "CONTEXT_EXCEEDED"),
        (answered({"message": "invalid api token"}, status=b"401 Unauthorized"), "PROVIDER_UNAUTHENTICATED"),
        (answered({"message": "a blocked token"}, status=b"498 Blocked"), "PROVIDER_FILTERED"),
        (answered({"message": "1000 API calls / month"}, status=b"429 Too Many Requests"), "PROVIDER_RATE_LIMITED"),
        (answered(b"<html>bad gateway</html>", status=b"502 Bad Gateway"), "PROVIDER_ERROR"),
    ],
)
async def test_what_goes_wrong_has_its_reason(answer: Sequence[bytes], reason: str) -> None:
    async with standing(service, settings, answer) as adapter:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await adapter.stream()
    assert from_rpc_error(failure.value).reason_name == reason


async def test_a_stream_that_ends_in_an_error_says_what_was_billed() -> None:
    failed = [chunked([bytes_of(*ANSWER[:7], end("ERROR", error="generation failed"))], EVENTS)]
    async with standing(service, settings, failed) as adapter:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await adapter.stream()
    told = from_rpc_error(failure.value).metadata
    assert (told["input_tokens"], told["output_tokens"], told["usage_source"]) == ("7", "5", "provider")


async def test_embeddings_come_in_the_order_of_their_texts_with_what_is_billed() -> None:
    body = {"id": "e1", "embeddings": {"float": [[0.5, -0.25], [1.0, 0.0]]}, "texts": ["one", "two"],
            "meta": {"billed_units": {"input_tokens": 2}}}  # fmt: skip
    async with standing(service, settings, answered(body)) as adapter:
        response = await adapter.embed(["one", "two"])
    assert [list(each.values) for each in response.output.embeddings] == [[0.5, -0.25], [1.0, 0.0]]
    assert (response.report.source, response.report.usage.input_tokens) == (usage_pb2.USAGE_SOURCE_PROVIDER, 2)


async def test_models_are_described_as_the_provider_lists_them() -> None:
    models = [
        {"name": "command-a", "endpoints": ["chat"], "context_length": 256_000, "features": ["tools", "json_schema", "vision"]},
        {"name": "embed-v4.0", "endpoints": ["embed"], "context_length": 128_000},
        {"name": "odd"},
    ]
    async with standing(service, settings, answered({"models": models})) as adapter:
        response = await adapter.discover()
    assert list(response.models) == ["command-a", "embed-v4.0", "odd"]
    assert {each.model: (list(each.capabilities), each.context_window) for each in response.descriptions} == {
        "command-a": (["generate", "streaming", "seed", "tools", "parallel_tool_calls", "json_schema", "image_input"], 256_000),
        "embed-v4.0": (["embeddings"], 128_000),
    }


def test_an_endpoint_without_an_address_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match=r"endpoints\.main: base_url"):
        service.build(Settings(endpoints={"main": "{}"}), None)  # type: ignore[arg-type]  # settings are read first
