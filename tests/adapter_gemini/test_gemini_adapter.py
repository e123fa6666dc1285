"""The adapter before the simulator: answers whole and streamed, tools, thoughts, vectors, counts, and what goes wrong."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_gemini.conftest import KEY, PROJECT, VERTEX, Adapted, attempt, calls_in, saying, tool

FORCED = content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_REQUIRED)


async def test_a_whole_answer_has_its_text_and_the_providers_usage(adapter: Adapted) -> None:
    response = await adapter.generate(saying(sampling=generate_pb2.Sampling(temperature=0.5, top_k=3)))
    choice = response.output.choices[0]
    assert choice.message.parts[0].text.text == "Say hello"
    assert (choice.finish_reason, choice.native_finish_reason) == (generate_pb2.FINISH_REASON_STOP, "STOP")
    assert (response.report.source, response.report.usage.output_tokens) == (usage_pb2.USAGE_SOURCE_PROVIDER, 2)
    assert response.output.id
    assert response.output.model == "sim-echo"
    sent = await adapter.sent()
    assert sent["path"] == "/v1/models/sim-echo:generateContent"
    assert sent["headers"]["x-goog-api-key"] == "***"
    assert sent["body"]["generationConfig"] == {"temperature": 0.5, "topK": 3, "maxOutputTokens": 256}


@pytest.mark.parametrize("endpoint", ["simulator-gemini", VERTEX])
async def test_a_stream_says_what_the_whole_answer_says(adapter: Adapted, endpoint: str) -> None:
    request = saying("Grüße an alle", reasoning=generate_pb2.ReasoningOptions(effort="low"))
    whole = await adapter.generate(request, attempt(endpoint=endpoint))
    events, report = await adapter.stream(request, attempt(endpoint=endpoint))
    kinds = [event.WhichOneof("kind") for event in events]
    assert kinds[0] == "started"
    assert kinds[-3:] == ["choice_finished", "usage", "finished"]
    assert "".join(event.text.text for event in events) == "Grüße an alle"
    thoughts = "".join(event.reasoning.text for event in events)
    assert thoughts == "".join(part.reasoning.text for part in whole.output.choices[0].message.parts)
    assert report.usage == whole.report.usage
    assert report.usage.reasoning_output_tokens == 32
    assert report.usage.output_tokens > 32, "thoughts are a part of the output"
    tier = generate_pb2.SERVICE_TIER_STANDARD if endpoint == VERTEX else generate_pb2.SERVICE_TIER_UNSPECIFIED
    assert report.usage.service_tier == tier, "Vertex says which tier served"


async def test_paths_of_vertex_name_project_location_and_publisher(adapter: Adapted) -> None:
    await adapter.stream(saying(), attempt(endpoint=VERTEX))
    assert (await adapter.sent())["path"] == f"{PROJECT}/publishers/google/models/sim-echo:streamGenerateContent"


@pytest.mark.parametrize("streamed", [False, True])
async def test_parallel_calls_have_ids_of_their_own_and_the_first_has_the_proof(adapter: Adapted, *, streamed: bool) -> None:
    request = saying("get_weather and get_time please", tools=[tool(), tool("get_time")])
    if streamed:
        events, _ = await adapter.stream(request, attempt("sim-tools"))
        started = [event.tool_call_started for event in events if event.HasField("tool_call_started")]
        arguments = [event.tool_call.arguments_json for event in events if event.HasField("tool_call")]
        proofs = [event.reasoning.signature for event in events if event.HasField("reasoning")]
        reason = next(event.choice_finished.finish_reason for event in events if event.HasField("choice_finished"))
        names, ids = [call.name for call in started], [call.id for call in started]
    else:
        choice = (await adapter.generate(request, attempt("sim-tools"))).output.choices[0]
        calls = calls_in(choice.message)
        names, ids, arguments = [call.name for call in calls], [call.id for call in calls], [call.arguments_json for call in calls]
        proofs = [part.reasoning.signature for part in choice.message.parts if part.HasField("reasoning")]
        reason = choice.finish_reason
    assert names == ["get_weather", "get_time"]
    assert len(set(ids)) == 2
    assert all(json.loads(each).keys() == {"city", "days"} for each in arguments)
    assert len(proofs) == 1
    assert proofs[0].startswith("gemini:")
    assert reason == generate_pb2.FINISH_REASON_TOOL_CALLS


async def test_arguments_that_come_in_pieces_arrive_whole(adapter: Adapted) -> None:
    extra = content_pb2.Extra(dialect="gemini", key="toolConfig", json=b'{"functionCallingConfig":{"streamFunctionCallArguments":true}}')
    request = saying("get_weather", tools=[tool()], tool_choice=FORCED)
    whole = await adapter.generate(request)
    request.extras.append(extra)
    events, _ = await adapter.stream(request)
    sent = (await adapter.sent())["body"]
    assert sent["toolConfig"] == {"functionCallingConfig": {"streamFunctionCallArguments": True, "mode": "ANY"}}
    pieces = [event.tool_call.arguments_json for event in events if event.HasField("tool_call")]
    assert json.loads("".join(pieces)) == json.loads(calls_in(whole.output.choices[0].message)[0].arguments_json)


async def test_candidates_stop_seed_and_logprobs(adapter: Adapted) -> None:
    request = saying(
        "one two three",
        candidate_count=2,
        stop=["three"],
        sampling=generate_pb2.Sampling(seed=7),
        logprobs=generate_pb2.LogprobOptions(top=2),
    )
    response = await adapter.generate(request)
    assert [choice.index for choice in response.output.choices] == [0, 1]
    assert response.output.choices[1].message.parts[0].text.text == "one two "
    tokens = response.output.choices[0].logprobs
    assert "".join(token.token for token in tokens) == "one two "
    assert all(token.logprob <= 0 and len(token.top) == 2 for token in tokens)
    events, _ = await adapter.stream(request)
    streamed = [token for event in events if event.text.choice == 0 for token in event.text.logprobs]
    assert streamed == list(tokens)


async def test_structured_output_is_bound_by_its_schema(adapter: Adapted) -> None:
    schema = '{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}'
    form = content_pb2.ResponseFormat(json_schema=content_pb2.JsonSchemaFormat(name="x", schema_json=schema))
    response = await adapter.generate(saying(response_format=form), exact=True)
    assert json.loads(response.output.choices[0].message.parts[0].text.text).keys() == {"city"}


@pytest.mark.parametrize(
    ("endpoint", "model"), [("simulator-gemini", "sim-embed"), (VERTEX, "sim-embed"), (VERTEX, "gemini-embedding-001")]
)
async def test_vectors_come_in_order_and_of_the_given_length(adapter: Adapted, endpoint: str, model: str) -> None:
    both = await adapter.embed(["one", "two"], attempt(model, endpoint=endpoint), dimensions=8)
    each = [(await adapter.embed([text], attempt(model, endpoint=endpoint), dimensions=8)).output.embeddings[0] for text in ("one", "two")]
    assert [list(one.values) for one in both.output.embeddings] == [list(one.values) for one in each]
    assert [len(one.values) for one in both.output.embeddings] == [8, 8]
    assert both.report.usage.input_tokens == 2
    assert both.report.source == usage_pb2.USAGE_SOURCE_PROVIDER


async def test_counts_of_the_provider_include_tools_and_instructions(adapter: Adapted) -> None:
    async def counted(request: generate_pb2.GenerateInput, endpoint: str) -> int:
        asked = adapter_pb2.CountTokensRequest(attempt=attempt(endpoint=endpoint), input=request)
        return int((await adapter.stub.CountTokens(asked, timeout=5)).count.input_tokens)

    for endpoint in ("simulator-gemini", VERTEX):
        plain = await counted(saying(), endpoint)
        assert plain == (await adapter.generate(saying())).report.usage.input_tokens
        assert await counted(saying(tools=[tool()]), endpoint) > plain


async def test_models_are_listed_and_the_credential_is_checked(adapter: Adapted) -> None:
    for endpoint in ("simulator-gemini", VERTEX):
        listed = await adapter.stub.DiscoverModels(adapter_pb2.DiscoverModelsRequest(endpoint=endpoint), timeout=5)
        assert "sim-echo" in listed.models
        described = {each.model: each for each in listed.descriptions}
        if endpoint != VERTEX:
            assert described["sim-echo"].context_window == 1_048_576 + 65_536
            assert {"generate", "streaming", "reasoning"} <= set(described["sim-echo"].capabilities)
        checked = await adapter.stub.CheckEndpoint(adapter_pb2.CheckEndpointRequest(endpoint=endpoint), timeout=5)
        assert checked.status == 200


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("sim-400", "PROVIDER_REJECTED"),
        ("sim-context-length", "CONTEXT_EXCEEDED"),
        ("sim-401", "PROVIDER_UNAUTHENTICATED"),
        ("sim-403", "PROVIDER_UNAUTHENTICATED"),
        ("sim-404", "PROVIDER_MODEL_NOT_FOUND"),
        ("sim-429", "PROVIDER_RATE_LIMITED"),
        ("sim-quota", "PROVIDER_RATE_LIMITED"),
        ("sim-500", "PROVIDER_ERROR"),
        ("sim-503", "PROVIDER_ERROR"),
        ("sim-html", "PROVIDER_ERROR"),
        ("sim-malformed", "PROVIDER_MALFORMED"),
        ("sim-hangup", "PROVIDER_RESET"),
        ("sim-not-http", "PROVIDER_RESET"),
        ("sim-echo/finish:BLOCKED", "PROVIDER_FILTERED"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_each_failure_has_its_reason(adapter: Adapted, model: str, reason: str, *, streamed: bool) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await (adapter.stream if streamed else adapter.generate)(saying("one two three four"), attempt(model))
    error = from_rpc_error(failure.value)
    assert error.reason_name == reason
    assert KEY not in str(error.metadata)


@pytest.mark.parametrize("model", ["sim-mid-error", "sim-mid-hangup", "sim-truncate", "sim-mid-reset"])
async def test_a_stream_that_breaks_off_says_what_was_spent(adapter: Adapted, model: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await adapter.stream(saying("one two three four five six seven eight nine"), attempt(model))
    error = from_rpc_error(failure.value)
    assert error.reason_name in {"PROVIDER_ERROR", "PROVIDER_RESET"}
    assert int(error.metadata["output_tokens"]) > 0


async def test_a_rate_limit_says_when_to_come_again(adapter: Adapted) -> None:
    await adapter.admin("PUT", "behaviours/slow", {"status": 429, "retry_after": 7})
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await adapter.generate(saying(), attempt("slow"))
    assert from_rpc_error(failure.value).retry_after == 7


async def test_a_withheld_answer_is_filtered_and_every_other_end_has_its_word(adapter: Adapted) -> None:
    refused = (await adapter.generate(saying(), attempt("sim-refusal"))).output.choices[0]
    assert (refused.finish_reason, refused.native_finish_reason) == (generate_pb2.FINISH_REASON_CONTENT_FILTER, "SAFETY")
    cut = (await adapter.generate(saying("one two three"), attempt(max_output_tokens=2))).output.choices[0]
    assert cut.finish_reason == generate_pb2.FINISH_REASON_LENGTH


async def test_a_client_that_leaves_ends_the_request_at_the_provider(adapter: Adapted) -> None:
    made = attempt("sim-words/tokens:5000/rate:50")
    call = adapter.stub.GenerateStream(
        adapter_pb2.GenerateStreamRequest(grant=adapter.grant(made), attempt=made, input=saying()), timeout=20
    )
    await anext(aiter(call))
    call.cancel()
    async with asyncio.timeout(5):
        while not (await adapter.admin("GET", "stats"))["client_gone"]:  # noqa: ASYNC110 (the simulator tells nobody)
            await asyncio.sleep(0.01)
    lines: Any = await adapter.admin("GET", "log?event=served")
    assert lines["entries"][-1]["outcome"] == "client_gone"


async def test_what_costs_more_than_is_reserved_is_refused_by_its_name(adapter: Adapted) -> None:
    for key, value in {"cachedContent": b'"cachedContents/x"', "serviceTier": b'"PRIORITY"', "store": b"true"}.items():
        extra = content_pb2.Extra(dialect="gemini", key=key, json=value)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await adapter.generate(saying(extras=[extra]))
        error = from_rpc_error(failure.value)
        assert (error.reason_name, error.field) == ("EXTRA_NOT_ALLOWED", f"input.extras[gemini.{key}]")
    search = content_pb2.Tool(opaque=content_pb2.OpaquePart(dialect="gemini", type="googleSearch", json=b'{"googleSearch":{}}'))
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await adapter.generate(saying(tools=[search]))
    assert from_rpc_error(failure.value).reason_name == "EXTRA_NOT_ALLOWED"


async def test_safety_settings_go_on_and_limits_do_not(adapter: Adapted) -> None:
    settings = b'[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}]'
    config = b'{"maxOutputTokens":100000,"candidateCount":8,"mediaResolution":"MEDIA_RESOLUTION_LOW"}'
    extras = [
        content_pb2.Extra(dialect="gemini", key="safetySettings", json=settings),
        content_pb2.Extra(dialect="gemini", key="generationConfig", json=config),
    ]
    response = await adapter.generate(saying(extras=extras))
    body = (await adapter.sent())["body"]
    assert body["safetySettings"] == json.loads(settings)
    assert body["generationConfig"] == {"maxOutputTokens": 256, "mediaResolution": "MEDIA_RESOLUTION_LOW"}
    assert {each.field for each in response.output.translations} == {
        "extras[gemini.generationConfig].candidateCount",
        "extras[gemini.generationConfig].maxOutputTokens",
    }
