"""Each adapter against the simulator in its dialect: the same answers, failures, usage and cancellation, whatever the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_adapter_bedrock.settings import Settings as BedrockSettings
from llm_mesh_adapter_bedrock.wiring import service as bedrock
from llm_mesh_adapter_cohere.settings import Settings as CohereSettings
from llm_mesh_adapter_cohere.wiring import service as cohere
from llm_mesh_adapter_ollama.settings import Settings as OllamaSettings
from llm_mesh_adapter_ollama.wiring import service as ollama
from llm_mesh_adapter_openai.settings import Settings as OpenAISettings
from llm_mesh_adapter_openai.wiring import service as openai
from llm_mesh_runtime.http.listener import HttpListener
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.service import Service
from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.provider.app import Simulator
from llm_mesh_simulator.store.journal import Journal
from tests.adapter_kit.standing_adapter import StandingAdapter, at


def credentials(key: str) -> dict[str, Secret]:
    return {"main": Secret(key)} if key else {}


class Wire(NamedTuple):
    """An adapter, and how it finds the simulator."""

    service: Service
    settings: Callable[[str, str], object]
    path: str = ""
    more: Mapping[str, object] = {}
    """Further keys of the endpoint."""


WIRES = {
    "bedrock": Wire(bedrock, lambda endpoint, key: BedrockSettings(endpoints={"main": endpoint}, credentials=credentials(key))),
    "ollama": Wire(ollama, lambda endpoint, key: OllamaSettings(endpoints={"main": endpoint}, credentials=credentials(key))),
    "cohere": Wire(cohere, lambda endpoint, key: CohereSettings(endpoints={"main": endpoint}, credentials=credentials(key)), "/cohere"),
    "responses": Wire(
        openai,
        lambda endpoint, key: OpenAISettings(endpoints={"main": endpoint}, credentials=credentials(key)),
        "/v1",
        {"like": "simulator-responses"},
    ),
}
TEXT = "Grüße aus Zürich, get along"
FAILURES = {
    "sim-400": "PROVIDER_REJECTED",
    "sim-context-length": "CONTEXT_EXCEEDED",
    "sim-401": "PROVIDER_UNAUTHENTICATED",
    "sim-403": "PROVIDER_UNAUTHENTICATED",
    "sim-404": "PROVIDER_MODEL_NOT_FOUND",
    "sim-429": "PROVIDER_RATE_LIMITED",
    "sim-quota": "PROVIDER_RATE_LIMITED",
    "sim-500": "PROVIDER_ERROR",
    "sim-503": "PROVIDER_ERROR",
    "sim-html": "PROVIDER_ERROR",
    "sim-reset": "PROVIDER_RESET",
    "sim-hangup": "PROVIDER_RESET",
    "sim-not-http": "PROVIDER_RESET",
    "sim-mid-reset": "PROVIDER_RESET",
    "sim-mid-hangup": "PROVIDER_RESET",
    "sim-mid-error": "PROVIDER_ERROR",
    "sim-truncate": "PROVIDER_RESET",
    "sim-no-done": "PROVIDER_RESET",
    "sim-malformed": "PROVIDER_MALFORMED",
    "sim-empty": "PROVIDER_RESET",
}
WHOLE = {("bedrock", "sim-no-done")}
"""Dialects whose answer is whole without its end mark, which has usage alone."""
OTHER_REASONS = {("openai", "sim-403"): "PROVIDER_MODEL_NOT_FOUND"}
"""What a provider's own code makes of a status."""
SAY_NOTHING = {"openai"}
"""Dialects whose list of models says nothing but their names."""
SAY_LITTLE = {"bedrock"}
"""Dialects whose list of models says nothing of tools and context windows."""
ODD = ("sim-crlf", "sim-comments", "sim-unknown-fields", "sim-duplicate-fields", "sim-huge", "sim-split-utf8", "sim-drip")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = content_pb2.Tool(function=content_pb2.FunctionTool(name="get_weather", parameters_json=json.dumps(SCHEMA)))


def say(words: str, role: content_pb2.Role = content_pb2.ROLE_USER) -> content_pb2.Message:
    return content_pb2.Message(role=role, parts=[content_pb2.Part(text=content_pb2.Text(text=words))])


@asynccontextmanager
async def reaching(wire: Wire, folder: Path, *, key: str = "", wants: str = "") -> AsyncIterator[tuple[StandingAdapter, Simulator]]:
    """The adapter, with the simulator behind it."""
    journal = Journal(folder / "simulator.log.jsonl")
    journal.open()
    simulator = Simulator(journal, api_key=wants)
    listener = HttpListener("127.0.0.1:0", simulator)
    await listener.start()
    try:
        text: dict[str, object] = {"base_url": f"http://{listener.address}{wire.path}", "local": True, **wire.more}
        if key:
            text["credential"] = "main"
        async with at(wire.service, wire.settings(json.dumps(text), key)) as adapter:
            yield adapter, simulator
    finally:
        await listener.stop(1)
        journal.close()


@pytest.fixture(params=WIRES)
async def adapter(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StandingAdapter]:
    async with reaching(WIRES[request.param], tmp_path) as (made, _):
        yield made


async def test_text_whole_and_streamed_has_exact_usage(adapter: StandingAdapter) -> None:
    whole = await adapter.generate("sim-echo", messages=[say(TEXT)])
    events, report = await adapter.stream("sim-echo", messages=[say(TEXT)])
    assert whole.output.choices[0].message.parts[0].text.text == TEXT
    assert "".join(event.text.text for event in events) == TEXT
    assert whole.report.usage.output_tokens == report.usage.output_tokens == tokens.count(TEXT)
    assert whole.report.usage.input_tokens == report.usage.input_tokens == tokens.count(TEXT) + tokens.PER_MESSAGE + tokens.PER_REQUEST
    assert whole.report.source == report.source == usage_pb2.USAGE_SOURCE_PROVIDER


async def test_a_tool_is_called_and_its_result_goes_back(adapter: StandingAdapter) -> None:
    asked = [say("get_weather and get_weather")]
    whole = await adapter.generate("sim-echo", messages=asked, tools=[TOOL])
    call = next(part for part in whole.output.choices[0].message.parts if part.HasField("tool_call"))
    assert whole.output.choices[0].finish_reason == generate_pb2.FINISH_REASON_TOOL_CALLS
    assert json.loads(call.tool_call.arguments_json).keys() == {"city"}
    events, _ = await adapter.stream("sim-echo", messages=asked, tools=[TOOL])
    assert json.loads("".join(event.tool_call.arguments_json for event in events)) == json.loads(call.tool_call.arguments_json)
    result = content_pb2.ToolResult(tool_call_id=call.tool_call.id, parts=say("sunny").parts)
    turn = [
        *asked,
        whole.output.choices[0].message,
        content_pb2.Message(role=content_pb2.ROLE_TOOL, parts=[content_pb2.Part(tool_result=result)]),
    ]
    answer = await adapter.generate("sim-echo", messages=turn, tools=[TOOL])
    assert answer.output.choices[0].message.parts[0].text.text == "sunny"
    assert not [each for each in answer.output.translations if "tool_result" in each.field]


async def test_reasoning_schemas_and_limits_hold_on_every_wire(adapter: StandingAdapter) -> None:
    thought = await adapter.generate("sim-echo", reasoning=generate_pb2.ReasoningOptions(budget_tokens=64))
    reasoning = thought.output.choices[0].message.parts[0].reasoning
    assert reasoning.text or reasoning.signature  # Responses show a summary to whoever asks for one
    form = content_pb2.ResponseFormat(json_schema=content_pb2.JsonSchemaFormat(name="x", schema_json=json.dumps(SCHEMA)))
    shaped = await adapter.generate("sim-echo", response_format=form)
    assert json.loads(shaped.output.choices[0].message.parts[0].text.text).keys() == {"city"}
    cut = await adapter.generate("sim-words/tokens:300")
    assert (cut.output.choices[0].finish_reason, cut.report.usage.output_tokens) == (generate_pb2.FINISH_REASON_LENGTH, 256)


@pytest.mark.parametrize("model", ODD)
async def test_an_unusual_wire_is_read_like_any_other(adapter: StandingAdapter, model: str) -> None:
    events, report = await adapter.stream(model, messages=[say(TEXT)])
    whole = await adapter.generate(model, messages=[say(TEXT)])
    assert "".join(event.text.text for event in events) == whole.output.choices[0].message.parts[0].text.text
    assert report.usage.output_tokens == whole.report.usage.output_tokens


@pytest.mark.parametrize("model", FAILURES)
async def test_each_failure_has_the_same_reason_on_every_wire(adapter: StandingAdapter, model: str) -> None:
    if (adapter.name, model) in WHOLE:
        _, report = await adapter.stream(model)
        assert report.source == usage_pb2.USAGE_SOURCE_COUNTED
        return
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await adapter.stream(model)
    assert from_rpc_error(failure.value).reason_name == OTHER_REASONS.get((adapter.name, model), FAILURES[model])


async def test_missing_usage_is_counted(adapter: StandingAdapter) -> None:
    events, report = await adapter.stream("sim-no-usage", messages=[say(TEXT)])
    assert (report.source, report.usage.output_tokens > 0) == (usage_pb2.USAGE_SOURCE_COUNTED, True)
    assert [event.usage for event in events if event.HasField("usage")] == [report.usage]


async def test_vectors_of_texts_that_share_words_lie_near_each_other(adapter: StandingAdapter) -> None:
    response = await adapter.embed(["red apple", "red apple pie", "quantum"], "sim-embed")
    one, near, far = (list(each.values) for each in response.output.embeddings)
    assert sum(a * b for a, b in zip(one, near, strict=True)) > sum(a * b for a, b in zip(one, far, strict=True))
    assert response.report.usage.input_tokens == sum(map(tokens.count, ("red apple", "red apple pie", "quantum")))


async def test_models_are_found_with_what_they_can_do(adapter: StandingAdapter) -> None:
    response = await adapter.discover()
    assert {"sim-echo", "sim-embed"} <= set(response.models)
    if adapter.name in SAY_NOTHING:
        assert not response.descriptions
        return
    can = {each.model: set(each.capabilities) for each in response.descriptions}
    tells = adapter.name not in SAY_LITTLE
    assert {"generate", "image_input", *(["tools"] if tells else [])} <= can["sim-echo"]
    assert can["sim-embed"] == {"embeddings"}
    assert all(each.context_window == (128_000 if tells else 0) for each in response.descriptions)


@pytest.mark.parametrize("name", WIRES)
async def test_our_credential_is_sent_and_never_comes_back(name: str, tmp_path: Path) -> None:
    key = "sk-our-own-credential-0123456789"
    async with reaching(WIRES[name], tmp_path, key=key, wants=key) as (adapter, simulator):
        echoed = await adapter.generate("sim-echo", messages=[say(f"the key is {key}")])
        events, _ = await adapter.stream("sim-echo", messages=[say(f"the key is {key}")])
        assert len(simulator._exchanges.requests) == 2
    assert key not in str(echoed)
    assert key not in str(events)


@pytest.mark.parametrize("name", WIRES)
async def test_a_caller_who_leaves_closes_the_providers_connection(name: str, tmp_path: Path) -> None:
    async with reaching(WIRES[name], tmp_path) as (adapter, simulator):
        call = adapter.begin("sim-words/tokens:200/rate:20")
        async for _ in call:
            break
        call.cancel()
        async with asyncio.timeout(5):
            while not simulator._exchanges.counters.client_gone:  # noqa: ASYNC110  a counter tells nobody that it grows
                await asyncio.sleep(0.005)
