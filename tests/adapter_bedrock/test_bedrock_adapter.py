"""The adapter against the simulator's Bedrock dialect: what goes well, and what is refused before anything is sent."""

from __future__ import annotations

import asyncio
import json

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_adapter_bedrock.provider.overrides import configured
from llm_mesh_adapter_bedrock.settings import Settings
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.secret import Secret
from tests.adapter_bedrock.conftest import ENDPOINT, Adapted, adapted, attempt, saying

Part = content_pb2.Part
SCHEMA = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'


async def test_an_answer_has_text_usage_and_a_report(adapter: Adapted) -> None:
    response = await adapter.generate(saying("Say hello"), attempt())
    choice = response.output.choices[0]
    assert choice.message.parts[0].text.text == "Say hello"
    assert (choice.finish_reason, choice.native_finish_reason) == (generate_pb2.FINISH_REASON_STOP, "end_turn")
    assert (response.report.source, response.report.usage.output_tokens) == (usage_pb2.USAGE_SOURCE_PROVIDER, 2)
    assert response.report.provider_request_id.startswith("req_")


async def test_a_stream_says_the_same_in_order_and_ends_with_usage_and_report(adapter: Adapted) -> None:
    events, report = await adapter.stream(saying(), attempt("sim-words/tokens:40"))
    kinds = [event.WhichOneof("kind") for event in events]
    assert kinds[0] == "started"
    assert kinds[-3:] == ["choice_finished", "usage", "finished"]
    assert set(kinds[1:-3]) == {"text"}
    assert (report.source, report.usage.output_tokens) == (usage_pb2.USAGE_SOURCE_PROVIDER, 40)


@pytest.mark.parametrize(
    "wire", ["sim-crlf", "sim-unknown-fields", "sim-duplicate-fields", "sim-huge", "sim-split-utf8", "sim-utf8", "sim-no-done"]
)
async def test_however_the_bytes_come_the_text_is_the_same(adapter: Adapted, wire: str) -> None:
    text = "Zwölf Größen, naïve 🧮"
    events, _ = await adapter.stream(saying(text), attempt(wire))
    whole = await adapter.generate(saying(text), attempt(wire))
    assert "".join(event.text.text for event in events) == whole.output.choices[0].message.parts[0].text.text != ""


async def test_tools_are_called_and_their_results_sent_back(adapter: Adapted) -> None:
    long = "weather_" + "x" * 80
    tools = [
        content_pb2.Tool(function=content_pb2.FunctionTool(name=name, parameters_json=SCHEMA, strict=True)) for name in (long, "clock")
    ]
    request = saying("use tools", tools=tools)
    whole = await adapter.generate(request, attempt("sim-tools"))
    events, _ = await adapter.stream(request, attempt("sim-tools"))
    calls = [part.tool_call for part in whole.output.choices[0].message.parts if part.HasField("tool_call")]
    begun = [event.tool_call_started for event in events if event.HasField("tool_call_started")]
    assert [call.name for call in calls] == [call.name for call in begun] == [long, "clock"], "names come back whole"
    assert whole.output.choices[0].finish_reason == generate_pb2.FINISH_REASON_TOOL_CALLS
    for index, call in enumerate(calls):
        pieces = [event.tool_call.arguments_json for event in events if event.HasField("tool_call") and event.tool_call.index == index]
        assert json.loads("".join(pieces)) == json.loads(call.arguments_json)
    request.messages.append(whole.output.choices[0].message)
    for number, call in enumerate(calls):
        parts = [Part(text=content_pb2.Text(text=f"{number}!"))]
        if not number:
            parts.append(Part(image=content_pb2.Media(data=b"\x89PNG", mime_type="image/png")))
            parts.append(Part(file=content_pb2.Media(data=b"a,b", mime_type="text/csv", filename="täble.csv")))
            parts.append(Part(opaque=content_pb2.OpaquePart(dialect="bedrock", type="json", json=b'{"json": {"n": 1}}')))
        result = content_pb2.ToolResult(tool_call_id=call.id, parts=parts, is_error=bool(number))
        request.messages.append(content_pb2.Message(role=content_pb2.ROLE_TOOL, parts=[Part(tool_result=result)]))
    answer = await adapter.generate(request, attempt("sim-echo"))
    assert answer.output.choices[0].message.parts[0].text.text == '0!{"n":1}1!'


@pytest.mark.parametrize(("mode", "name"), [(content_pb2.TOOL_CHOICE_MODE_REQUIRED, ""), (content_pb2.TOOL_CHOICE_MODE_NAMED, "clock")])
async def test_tools_can_be_forced(adapter: Adapted, mode: content_pb2.ToolChoiceMode, name: str) -> None:
    tools = [content_pb2.Tool(function=content_pb2.FunctionTool(name=each)) for each in ("weather", "clock")]
    request = saying("hello", tools=tools, tool_choice=content_pb2.ToolChoice(mode=mode, name=name))
    answer = await adapter.generate(request, attempt())
    assert answer.output.choices[0].message.parts[0].tool_call.name == (name or "weather")


async def test_reasoning_comes_with_its_proof_and_goes_back_unchanged(adapter: Adapted) -> None:
    request = saying("why?", reasoning=generate_pb2.ReasoningOptions(effort="high"))
    events, _ = await adapter.stream(request, attempt("sim-reasoning"))
    whole = (await adapter.generate(request, attempt("sim-reasoning"))).output.choices[0].message
    thought = whole.parts[0].reasoning
    assert thought.text
    assert "".join(event.reasoning.text for event in events) == thought.text
    assert [event.reasoning.signature for event in events if event.reasoning.signature] == [thought.signature]
    request.messages.append(whole)
    request.messages.extend(saying("and then?").messages)
    await adapter.generate(request, attempt())  # the simulator checks the proof
    request.messages[1].parts[0].reasoning.text += " changed"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.generate(request, attempt())
    assert from_rpc_error(caught.value).reason_name == "PROVIDER_REJECTED"


@pytest.mark.parametrize(("seconds", "ttl"), [(300, "5m"), (3600, "1h")])
async def test_cached_tokens_are_within_the_sum_and_told_by_lifetime(adapter: Adapted, seconds: int, ttl: str) -> None:
    request = saying("a long prefix " * 400)
    request.messages[0].parts[0].cache_hint.ttl_seconds = seconds
    first = (await adapter.generate(request, attempt())).report.usage
    second = (await adapter.generate(request, attempt())).report.usage
    assert first.cache_write_input_tokens > 0
    assert second.cached_input_tokens == first.cache_write_input_tokens
    assert second.input_tokens == first.input_tokens >= second.cached_input_tokens
    by_lifetime = {"5m": first.cache_write_5m_input_tokens, "1h": first.cache_write_1h_input_tokens}
    assert by_lifetime == {"5m": 0, "1h": 0} | {ttl: first.cache_write_input_tokens}


async def test_an_answer_follows_a_schema(adapter: Adapted) -> None:
    form = content_pb2.ResponseFormat(json_schema=content_pb2.JsonSchemaFormat(name="numbers", schema_json=SCHEMA))
    answer = await adapter.generate(saying("go", response_format=form), attempt())
    assert isinstance(json.loads(answer.output.choices[0].message.parts[0].text.text)["n"], int)


async def test_what_a_guardrail_found_is_told_without_what_it_matched() -> None:
    guarded = {"guardrail": {"guardrailIdentifier": "abc123", "guardrailVersion": "1"}}
    async with adapted() as outer:
        endpoint = json.dumps({"base_url": f"http://{outer.simulator}", "local": True, **guarded})
        async with adapted(endpoints={"guarded": endpoint}) as adapter:
            whole = (await adapter.generate(saying("something forbidden"), attempt(endpoint="guarded"))).output
            events, _ = await adapter.stream(saying("something forbidden"), attempt(endpoint="guarded"))
            harmless = (await adapter.generate(saying("something nice"), attempt(endpoint="guarded"))).output
    choice = whole.choices[0]
    assert (choice.finish_reason, choice.native_finish_reason) == (generate_pb2.FINISH_REASON_CONTENT_FILTER, "guardrail_intervened")
    (found,) = choice.extras
    streamed = next(each for each in events[-1].finished.extras if each.key == "findings")
    assert found.key == "findings"
    assert (
        json.loads(found.json)
        == json.loads(streamed.json)
        == [
            {"side": "input", "policy": "topicPolicy", "type": "TOPIC", "action": "BLOCKED"},
            {"side": "input", "policy": "wordPolicy", "type": "CUSTOM_WORD", "action": "BLOCKED"},
        ]
    )
    assert not harmless.choices[0].extras


async def test_tokens_are_counted_by_the_provider_and_bounded_where_it_cannot(adapter: Adapted) -> None:
    tools = [content_pb2.Tool(function=content_pb2.FunctionTool(name="clock"))]
    request = saying("one two three", tools=tools, sampling=generate_pb2.Sampling(temperature=0.5))
    counted = await adapter.count(request, attempt())
    used = (await adapter.generate(request, attempt())).report.usage
    assert (counted.source, counted.input_tokens) == (embed_pb2.COUNT_SOURCE_PROVIDER, used.input_tokens)
    bounded = await adapter.count(request, attempt(endpoint="bedrock"))
    assert (bounded.source, bounded.input_tokens) == (embed_pb2.COUNT_SOURCE_ESTIMATED, 10_000)


@pytest.mark.parametrize("model", ["amazon.titan-embed-text-v2:0", "cohere.embed-v4:0"])
async def test_texts_become_vectors_with_the_providers_count(adapter: Adapted, model: str) -> None:
    texts = ["one two"] if "titan" in model else ["one two", "three"]
    request = embed_pb2.EmbedInput(items=[embed_pb2.EmbedItem(text=text) for text in texts], dimensions=512)
    response = await adapter.embed(request, attempt(model))
    assert [len(each.values) for each in response.output.embeddings] == [512] * len(texts)
    assert [each.index for each in response.output.embeddings] == list(range(len(texts)))
    assert abs(sum(value * value for value in response.output.embeddings[0].values) - 1) < 1e-3
    assert (response.report.source, response.report.usage.input_tokens) == (usage_pb2.USAGE_SOURCE_PROVIDER, len(" ".join(texts).split()))


@pytest.mark.parametrize(
    ("model", "items", "field"),
    [
        ("amazon.titan-embed-text-v2:0", [embed_pb2.EmbedItem(text="a")] * 2, "input.items"),
        ("cohere.embed-v4:0", [embed_pb2.EmbedItem(text="a")] * 97, "input.items"),
        ("cohere.embed-v4:0", [embed_pb2.EmbedItem(tokens=embed_pb2.TokenIds(ids=[1]))], "input.items[0]"),
        ("meta.llama3-8b", [embed_pb2.EmbedItem(text="a")], "input.model"),
    ],
)
async def test_what_a_model_cannot_embed_is_refused_by_its_field(
    adapter: Adapted, model: str, items: list[embed_pb2.EmbedItem], field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.embed(embed_pb2.EmbedInput(items=items), attempt(model))
    assert from_rpc_error(caught.value).field == field
    assert (await adapter.admin("GET", "stats"))["received"] == 0


async def test_models_are_discovered_and_endpoints_listed_and_checked(adapter: Adapted) -> None:
    discovered = await adapter.stub.DiscoverModels(adapter_pb2.DiscoverModelsRequest(endpoint=ENDPOINT), timeout=5)
    assert "sim-echo" in discovered.models
    listed = {each.name: each for each in (await adapter.stub.ListEndpoints(adapter_pb2.ListEndpointsRequest(), timeout=5)).endpoints}
    assert list(listed) == ["bedrock", ENDPOINT]
    assert (listed[ENDPOINT].local, listed[ENDPOINT].has_credential) == (True, True)
    assert (listed["bedrock"].base_url, listed["bedrock"].has_credential) == ("https://bedrock-runtime.us-east-1.amazonaws.com", False)
    checked = await adapter.stub.CheckEndpoint(adapter_pb2.CheckEndpointRequest(endpoint=ENDPOINT), timeout=5)
    assert checked.result == adapter_pb2.CHECK_RESULT_ADMITTED


async def test_an_endpoint_without_its_credential_is_not_called(adapter: Adapted) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.generate(saying(), attempt(endpoint="bedrock"))
    assert from_rpc_error(caught.value).reason_name == "NO_CREDENTIAL"


async def test_what_a_translation_changed_is_in_the_answer_and_exactness_forbids_it(adapter: Adapted) -> None:
    request = saying(sampling=generate_pb2.Sampling(seed=7))
    whole = await adapter.generate(request, attempt())
    events, _ = await adapter.stream(request, attempt())
    for translations in (whole.output.translations, events[0].started.translations):
        assert [each.field for each in translations] == ["sampling.seed"]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await adapter.generate(request, attempt(), exact=True)
    assert from_rpc_error(caught.value).reason_name == "FIDELITY_LOST"


async def test_a_caller_that_leaves_closes_the_providers_connection(adapter: Adapted) -> None:
    made = attempt("sim-words/tokens:4000/rate:50")
    call = adapter.stub.GenerateStream(
        adapter_pb2.GenerateStreamRequest(grant=adapter.grant(made), attempt=made, input=saying()), timeout=20
    )
    async for message in call:
        if any(event.HasField("text") for event in message.events):
            break
    call.cancel()
    async with asyncio.timeout(2.5):
        while not (await adapter.admin("GET", "stats"))["client_gone"]:  # noqa: ASYNC110  the simulator tells nobody that it grows
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("bedrock", "", ["bearer-key"]),
        ("bedrock", '{"region": "eu-central-1"}', ["bearer-key"]),
        ("bedrock", "https://bedrock.internal.example", ["bearer-key"]),
        ("bedrock", '{"base_url": "https://bedrock.internal.example"}', ["bearer-key"]),
        ("bedrock", '{"base_url": "http://127.0.0.1:9", "local": true}', ["bearer-key"]),
        ("frankfurt", '{"region": "eu-central-1"}', ["bearer-key"]),
        ("elsewhere", "https://bedrock.internal.example", []),
        ("elsewhere", '{"base_url": "http://127.0.0.1:9", "local": true}', []),
        ("simulator-bedrock", "http://127.0.0.1:9", []),
    ],
)
def test_a_row_keeps_its_credential_at_another_address_and_an_added_endpoint_names_one(name: str, given: str, expected: list[str]) -> None:
    made = configured(Settings(bearer_token=Secret("bearer-key"), endpoints={name: given})).table.of(name)
    assert list(made.signer.secrets) == expected


def test_calls_to_a_row_that_was_moved_have_its_credential() -> None:
    moved = {"base_url": "http://127.0.0.1:9", "local": True}
    made = configured(Settings(bearer_token=Secret("bearer-key"), endpoints={"bedrock": json.dumps(moved)})).table.of("bedrock")
    assert made.signer.fixed("") == {"authorization": "Bearer bearer-key"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://example.com", "https"),
        ('{"base_url": "https://example.com", "x": 1}', "no such key"),
        ('{"credential": "mine"}', "no credential"),
        ('{"region": "Frankfurt"}', "region"),
        ('{"guardrail": {"guardrailIdentifier": "a"}}', "guardrailVersion"),
        ("{", "JSON"),
    ],
)
async def test_a_wrong_endpoint_is_told_at_the_start(given: str, expected: str) -> None:
    with pytest.raises(Exception, match=expected):
        async with adapted(endpoints={"mine": given}):
            pass
