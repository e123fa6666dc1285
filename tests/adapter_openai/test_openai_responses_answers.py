"""Answers of the Responses wire: whole and streamed alike, items that are not modelled whole, failures, and reasoning that goes back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_kit.conversions import Collector
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.sse import SSE
from llm_mesh_adapter_openai.provider.responses import ResponsesReader
from llm_mesh_adapter_openai.wiring import service
from llm_mesh_dialects import responses
from llm_mesh_runtime.testing import host
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.prompt_cache import PromptCache
from llm_mesh_simulator.provider.dialects import endpoints, openai
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.reply import AnswerIdentity, Stream
from tests.adapter_openai.conftest import Client, Upstream, say, settings_for

TOOL = content_pb2.Tool(function=content_pb2.FunctionTool(name="get_weather", parameters_json='{"properties":{"city":{"type":"string"}}}'))
READ = endpoints(PromptCache())["/responses"].read
OF_SDK = {"type": "function", "name": "get_weather", "parameters": {}, "strict": False}


def answered(behaviour: Behaviour, **request: Any) -> tuple[dict[str, Any], bytes]:
    """What the simulator answers, whole and as a stream."""
    body = {"model": "m", "input": "Grüße, use get_weather", **request}
    identity = AnswerIdentity("r", "1", 1_700_000_000)
    whole = READ(RequestFields(body, openai().phrasing)).reply(behaviour, identity)
    stream = READ(RequestFields({**body, "stream": True}, openai().phrasing)).reply(behaviour, identity).body
    assert isinstance(stream, Stream)
    assert isinstance(whole.body, bytes)
    return json.loads(whole.body), b"".join([*stream.opening, *stream.pieces, *stream.closing, stream.end])


def read_whole(body: dict[str, Any]) -> generate_pb2.GenerateOutput:
    output = generate_pb2.GenerateOutput()
    responses.answers.body_into_output(output, body)
    return output


def events_of(pieces: Sequence[bytes]) -> list[generate_pb2.StreamEvent]:
    parser, reader, message = SSE.parser(), ResponsesReader("x"), adapter_pb2.GenerateStreamResponse()
    meter = AttemptMeter(plan_pb2.Attempt(), 100)
    for piece in pieces:
        reader.feed(parser.feed(piece), message.events, meter)
    return [*message.events, *reader.finish()]


def collected(events: Sequence[generate_pb2.StreamEvent]) -> generate_pb2.GenerateOutput:
    output = generate_pb2.GenerateOutput()
    Collector(output).collect(events)
    return output


CASES: list[tuple[Behaviour, dict[str, Any]]] = [
    (Behaviour(), {}),
    (Behaviour(refusal=True), {}),
    (Behaviour(reasoning=8), {"tools": [OF_SDK]}),
    (Behaviour(calls=2), {"tools": [OF_SDK], "reasoning": {"effort": "low", "summary": "auto"}}),
    (Behaviour(), {"max_output_tokens": 2}),
    (Behaviour(finish="content_filter"), {}),
    (Behaviour(), {"include": ["message.output_text.logprobs"], "top_logprobs": 1}),
]


@pytest.mark.parametrize(("behaviour", "request_"), CASES)
def test_a_stream_means_what_the_whole_answer_means(behaviour: Behaviour, request_: dict[str, Any]) -> None:
    body, stream = answered(behaviour, **request_)
    whole, streamed = read_whole(body), collected(events_of([stream]))
    streamed.extras.extend(each for each in whole.extras if each.key == "completed_at")
    for choice in streamed.choices:
        del choice.extras[:]
    assert streamed.choices == whole.choices
    assert streamed.usage == whole.usage
    assert (streamed.id, streamed.model, streamed.created) == (whole.id, whole.model, whole.created)


_, LONG = answered(Behaviour(reasoning=4), tools=[OF_SDK], reasoning={"effort": "minimal", "summary": "auto"})
ALL_AT_ONCE = events_of([LONG])


@given(st.lists(st.integers(min_value=0, max_value=len(LONG)), max_size=8))
def test_cuts_anywhere_change_nothing(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(LONG)]
    pieces = [LONG[begin:end] for begin, end in pairwise(places)]
    assert events_of(pieces) == ALL_AT_ONCE


def test_every_single_byte_may_come_alone() -> None:
    assert events_of([LONG[place : place + 1] for place in range(len(LONG))]) == ALL_AT_ONCE


def frames(*events: dict[str, Any], named: bool = True) -> list[bytes]:
    return [
        (b"event: " + event["type"].encode() + b"\n" if named else b"") + b"data: " + json.dumps(event).encode() + b"\n\n"
        for event in events
    ]


RESPONSE = {"id": "resp_1", "object": "response", "created_at": 5, "model": "m", "novel": 1}
BEGUN = {"type": "response.created", "response": RESPONSE}
USAGE = {
    "input_tokens": 3,
    "output_tokens": 2,
    "total_tokens": 5,
    "input_tokens_details": {
        "cached_tokens": 1,
        "cache_write_tokens": 1,
        "cache_write_tokens_details": {"ttl_30m_tokens": 1, "ttl_12h_tokens": 0},
    },
    "output_tokens_details": {"reasoning_tokens": 1},
}
WHOLE: dict[str, Any] = {**RESPONSE, "status": "completed", "output": [], "usage": USAGE, "service_tier": "flex"}
ENDED = {"type": "response.completed", "response": WHOLE}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "x"}}


@pytest.mark.parametrize("named", [False, True])
def test_items_and_events_that_are_not_modelled_travel_whole(*, named: bool) -> None:
    searching = {"type": "response.web_search_call.searching", "output_index": 0, "item_id": "ws_1"}
    done = {"type": "response.output_item.done", "output_index": 0, "item": SEARCH}
    events = events_of(frames(BEGUN, searching, done, {"type": "response.new_thing", "x": 1}, ENDED, named=named))
    opaque = [event.opaque for event in events if event.HasField("opaque")]
    assert [(each.type, each.item) for each in opaque] == [
        ("response.web_search_call.searching", False),
        ("web_search_call", True),
        ("response.new_thing", False),
    ]
    assert all(each.dialect == "responses" for each in opaque)
    assert json.loads(opaque[1].json) == SEARCH
    whole = read_whole({**WHOLE, "output": [SEARCH]})
    assert whole.choices[0].message.parts[0].opaque == opaque[1]
    assert [(each.key, each.json) for each in whole.extras] == [("novel", b"1"), ("service_tier", b'"flex"')]


def test_usage_has_cached_written_and_reasoning_tokens_and_the_tier_that_served() -> None:
    events = events_of(frames(BEGUN, ENDED))
    (used,) = (event.usage for event in events if event.HasField("usage"))
    assert (used.input_tokens, used.output_tokens, used.cached_input_tokens, used.reasoning_output_tokens) == (3, 2, 1, 1)
    assert (used.cache_write_input_tokens, used.cache_write_30m_input_tokens) == (1, 1)
    assert used.service_tier == generate_pb2.SERVICE_TIER_FLEX


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": None}, "PROVIDER_RATE_LIMITED"),
        ({"type": "error", "code": None, "message": "This exceeds the context window", "param": None}, "CONTEXT_EXCEEDED"),
        ({"type": "response.failed", "response": {"error": {"code": "server_error", "message": "x"}}}, "PROVIDER_ERROR"),
        ({"type": "response.failed", "response": {"error": {"code": "bio_policy", "message": "x"}}}, "PROVIDER_FILTERED"),
        ({"type": "response.failed", "response": {"error": {"code": "invalid_prompt", "message": "x"}}}, "PROVIDER_REJECTED"),
        ({"error": {"code": "server_error", "message": "x"}}, "PROVIDER_ERROR"),
        ({"type": "response.output_text.delta", "delta": 5}, "PROVIDER_MALFORMED"),
        ({"type": "response.function_call_arguments.delta", "output_index": 7, "delta": "{"}, "PROVIDER_MALFORMED"),
        ({"type": "response.output_item.added", "item": {"type": "message"}}, "PROVIDER_MALFORMED"),
        ({"type": "response.output_item.added", "output_index": 0}, "PROVIDER_MALFORMED"),
        ({"type": "response.completed"}, "PROVIDER_MALFORMED"),
        ({"type": 5}, "PROVIDER_MALFORMED"),
    ],
)
def test_failures_within_a_stream_have_their_reason(event: dict[str, Any], reason: str) -> None:
    first, broken = frames(BEGUN)[0], b"data: " + json.dumps(event).encode() + b"\n\n"
    with pytest.raises(AdapterError) as caught:
        events_of([first, broken])
    assert caught.value.reason_name == reason


def test_a_response_that_failed_tells_what_it_used() -> None:
    failed = {"type": "response.failed", "response": {**WHOLE, "error": {"code": "server_error", "message": "x"}}}
    parser, reader, message = SSE.parser(), ResponsesReader("x"), adapter_pb2.GenerateStreamResponse()
    meter = AttemptMeter(plan_pb2.Attempt(), 100)
    with pytest.raises(AdapterError):
        reader.feed(parser.feed(b"".join(frames(BEGUN, failed))), message.events, meter)
    assert (meter.final, meter.report()[0].input_tokens) == (True, 3)


def test_a_stream_that_ends_before_its_response_is_no_answer() -> None:
    with pytest.raises(AdapterError) as caught:
        events_of(frames(BEGUN))
    assert caught.value.reason_name == "PROVIDER_RESET"


def test_a_sign_of_life_may_come_before_the_response() -> None:
    assert events_of([*frames({"type": "keepalive", "sequence_number": 0}), LONG]) == ALL_AT_ONCE


async def test_reasoning_is_replayed_over_two_turns_and_not_at_another_model(upstream: Upstream) -> None:
    settings = settings_for(upstream.url, endpoints={"simulator": json.dumps({"base_url": upstream.url, "responses": ["*"]})})
    async with host(service, settings={"adapter/openai": settings}) as mesh:
        client = Client(mesh)
        question = say("use get_weather", tools=[TOOL])
        first = (await client.generate("sim-reasoning", question)).output.choices[0].message
        kinds = [part.WhichOneof("kind") for part in first.parts]
        assert kinds == ["reasoning", "tool_call"]
        streamed = [event for message in await client.stream("sim-reasoning", question) for event in message.events]
        (proof,) = (event.reasoning.signature for event in streamed if event.reasoning.signature)
        assert proof == first.parts[0].reasoning.signature
        result = content_pb2.ToolResult(
            tool_call_id=first.parts[1].tool_call.id, parts=[content_pb2.Part(text=content_pb2.Text(text="sunny"))]
        )
        question.messages.extend([first, content_pb2.Message(role=content_pb2.ROLE_TOOL, parts=[content_pb2.Part(tool_result=result)])])
        second = (await client.generate("sim-reasoning", question)).output
        assert second.choices[0].message.parts[-1].text.text == "sunny"
        assert not second.translations
        other = (await client.generate("sim-echo", question)).output
        assert [each.field for each in other.translations] == ["messages[1].parts[0].reasoning"]
        question.messages[1].parts[0].reasoning.signature = proof.replace('"id"', '"id_"')
        changed = (await client.generate("sim-reasoning", question)).output
        assert [each.field for each in changed.translations] == ["messages[1].parts[0].reasoning"], "a changed proof is nobody's"


async def test_input_tokens_are_counted_by_the_provider(upstream: Upstream) -> None:
    settings = settings_for(upstream.url, endpoints={"simulator-responses": upstream.url})
    async with host(service, settings={"adapter/openai": settings}) as mesh:
        client = Client(mesh)
        attempt = client.attempt("sim-echo", endpoint="simulator-responses")
        counted = await client.stub.CountTokens(adapter_pb2.CountTokensRequest(attempt=attempt, input=say("Hello")))
        whole = await client.stub.Generate(
            adapter_pb2.GenerateRequest(attempt=attempt, grant=client.grant(attempt), input=say("Hello")), timeout=10
        )
        assert counted.count.input_tokens == whole.report.usage.input_tokens
