"""Calls through the adapter to the simulator, over every link."""

from __future__ import annotations

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from tests.adapter_openai.conftest import Client, Upstream, say


def text_of(messages: list[adapter_pb2.GenerateStreamResponse]) -> str:
    return "".join(event.text.text for message in messages for event in message.events)


def kinds(messages: list[adapter_pb2.GenerateStreamResponse]) -> list[str]:
    return [str(event.WhichOneof("kind")) for message in messages for event in message.events]


async def test_a_whole_answer_arrives_with_the_providers_usage(client: Client, upstream: Upstream) -> None:
    answer = await client.generate("sim-echo")
    assert answer.output.choices[0].message.parts[0].text.text == "Good morning, Ana"
    assert answer.output.choices[0].finish_reason == generate_pb2.FINISH_REASON_STOP
    (served,) = await upstream.wait_for("served")
    assert answer.report.usage.output_tokens == served["usage"]["completion"]
    assert answer.report.source == usage_pb2.USAGE_SOURCE_PROVIDER
    assert answer.report.provider_request_id == served["id"]
    assert answer.report.total.ToNanoseconds() > 0


async def test_a_streamed_answer_begins_grows_and_ends(client: Client) -> None:
    messages = await client.stream("sim-words")
    found = kinds(messages)
    assert found[0] == "started"
    assert found[-3:] == ["choice_finished", "usage", "finished"]
    assert set(found[1:-3]) == {"text"}
    assert len(text_of(messages).split()) > 20
    assert [message.HasField("final") for message in messages[:-1]] == [False] * (len(messages) - 1)
    final = messages[-1].final
    assert final.source == usage_pb2.USAGE_SOURCE_PROVIDER
    assert 0 < final.first_token.ToNanoseconds() <= final.total.ToNanoseconds()


async def test_tools_are_called_in_parallel_streamed_and_whole(client: Client) -> None:
    tools = [content_pb2.Tool(function=content_pb2.FunctionTool(name=name, parameters_json='{"type":"object"}')) for name in ("up", "down")]
    given = say("use up and use down", tools=tools)
    whole = await client.generate("sim-tools", given)
    called = [part.tool_call.name for part in whole.output.choices[0].message.parts if part.WhichOneof("kind") == "tool_call"]
    messages = await client.stream("sim-tools", given)
    started = [
        event.tool_call_started.name for message in messages for event in message.events if event.WhichOneof("kind") == "tool_call_started"
    ]
    assert called == started == ["up", "down"]
    assert whole.output.choices[0].finish_reason == generate_pb2.FINISH_REASON_TOOL_CALLS


async def test_embeddings_keep_their_order(client: Client) -> None:
    attempt = client.attempt("sim-embed")
    given = embed_pb2.EmbedInput(model="m", items=[embed_pb2.EmbedItem(text=text) for text in ("a", "b", "a")], dimensions=8)
    attempt.max_output_tokens = 0
    grant = client.grant(attempt, max_output_tokens=0)
    answer = await client.stub.Embed(adapter_pb2.EmbedRequest(grant=grant, attempt=attempt, input=given))
    values = [list(each.values) for each in answer.output.embeddings]
    assert len(values[0]) == 8
    assert values[0] == values[2] != values[1]
    assert answer.report.usage.input_tokens > 0


async def test_models_and_endpoints_are_listed(client: Client) -> None:
    found = await client.stub.DiscoverModels(adapter_pb2.DiscoverModelsRequest(endpoint="simulator"))
    assert "sim-echo" in found.models
    page = await client.stub.ListEndpoints(adapter_pb2.ListEndpointsRequest(page_size=3))
    names = [endpoint.name for endpoint in page.endpoints]
    assert (len(names), sorted(names)) == (3, names)
    rest = await client.stub.ListEndpoints(adapter_pb2.ListEndpointsRequest(page_token=page.next_page_token))
    simulator = next(endpoint for endpoint in rest.endpoints if endpoint.name == "simulator")
    assert simulator.local
    assert simulator.has_credential
    assert simulator.breaker == adapter_pb2.BREAKER_STATE_CLOSED


async def test_a_count_without_a_tokenizer_is_an_upper_bound(client: Client) -> None:
    answer = await client.stub.CountTokens(
        adapter_pb2.CountTokensRequest(attempt=client.attempt("sim-echo"), input=say("Good morning, Ana"))
    )
    assert answer.count.source == embed_pb2.COUNT_SOURCE_ESTIMATED
    assert answer.count.input_tokens >= len("Good morning, Ana")
