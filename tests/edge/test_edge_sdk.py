"""The official OpenAI SDK as a client that knows nothing of the mesh."""

import asyncio
import json
from typing import Any

import openai
import pytest

from llm_mesh.adapter.v1 import errors_pb2 as adapter_errors
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import errors_pb2 as policy_errors
from llm_mesh_runtime.errors import MeshError
from tests.edge.conftest import Served
from tests.edge.fakes import FINISHED, STARTED, USAGE, StreamEvent, text

MESSAGES: Any = [{"role": "user", "content": "hi"}]


class AdapterError(MeshError):
    reasons = adapter_errors.ErrorReason


class PolicyError(MeshError):
    reasons = policy_errors.ErrorReason


async def test_a_chat_is_answered(served: Served) -> None:
    answer = await served.sdk.chat.completions.create(model="gpt-4.1", messages=MESSAGES)
    assert answer.choices[0].message.content == "hello world"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (5, 2, 7)
    (asked,) = served.gateway.asked
    assert asked.input.model == "gpt-4.1"
    assert asked.input.source_dialect == "openai"
    assert served.gateway.metadata[0]["authorization"] == "Bearer mk_ana"


async def test_a_chat_is_streamed(served: Served) -> None:
    stream = await served.sdk.chat.completions.create(model="gpt-4.1", messages=MESSAGES, stream=True)
    words = [chunk.choices[0].delta.content or "" for chunk in [each async for each in stream] if chunk.choices]
    assert "".join(words) == "hello world"


async def test_the_last_chunk_has_usage_and_cost_when_usage_is_asked_for(served: Served) -> None:
    stream = await served.sdk.chat.completions.create(
        model="gpt-4.1", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    chunks = [each async for each in stream]
    usage = chunks[-1].usage
    assert chunks[-1].choices == []
    assert usage is not None
    assert usage.total_tokens == 7
    assert usage.model_extra is not None
    assert usage.model_extra["llm_mesh"]["cost"] == "0.000001234"
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_tool_calls_come_whole_and_streamed(served: Served) -> None:
    call = content_pb2.ToolCall(id="c1", name="look", arguments_json='{"at":"sky"}')
    message = content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=[content_pb2.Part(tool_call=call)])
    choice = generate_pb2.Choice(message=message, finish_reason=generate_pb2.FINISH_REASON_TOOL_CALLS)
    served.gateway.output = generate_pb2.GenerateOutput(id="x", choices=[choice], usage=USAGE)
    tools: Any = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
    answer = await served.sdk.chat.completions.create(model="gpt-4.1", messages=MESSAGES, tools=tools)
    assert answer.choices[0].message.tool_calls
    assert answer.choices[0].message.tool_calls[0].model_dump()["function"] == {"name": "look", "arguments": '{"at":"sky"}'}
    assert answer.choices[0].finish_reason == "tool_calls"
    assert served.gateway.asked[0].input.tools[0].function.name == "look"
    served.gateway.says = [
        STARTED,
        StreamEvent(tool_call_started=generate_pb2.ToolCallStarted(id="c1", name="look")),
        StreamEvent(tool_call=generate_pb2.ToolCallDelta(arguments_json='{"at":')),
        StreamEvent(tool_call=generate_pb2.ToolCallDelta(arguments_json='"sky"}')),
        StreamEvent(choice_finished=generate_pb2.ChoiceFinished(finish_reason=generate_pb2.FINISH_REASON_TOOL_CALLS)),
        FINISHED,
    ]
    async with served.sdk.chat.completions.stream(model="gpt-4.1", messages=MESSAGES, tools=tools) as stream:
        final = await stream.get_final_completion()
    assert final.choices[0].message.tool_calls
    assert final.choices[0].message.tool_calls[0].function.arguments == '{"at":"sky"}'


async def test_texts_are_embedded(served: Served) -> None:
    answer = await served.sdk.embeddings.create(model="embedder", input=["a", "b"])
    assert [each.embedding for each in answer.data] == [[0.5, -1.0], [0.5, -1.0]]
    assert answer.usage.prompt_tokens == 4
    plain = await served.sdk.embeddings.create(model="embedder", input="a", encoding_format="float")
    assert plain.data[0].embedding == [0.5, -1.0]


async def test_a_gateway_of_an_earlier_contract_is_asked_for_whole_vectors(served: Served) -> None:
    served.gateway.without_vector_streams = True
    answer = await served.sdk.embeddings.create(model="embedder", input=["a", "b"])
    assert [each.embedding for each in answer.data] == [[0.5, -1.0], [0.5, -1.0]]


async def test_models_are_listed_and_found(served: Served) -> None:
    listed = await served.sdk.models.list()
    assert [model.id for model in listed.data] == ["gpt-4.1", "claims/summariser"]
    assert listed.data[0].owned_by == "domains/shared"
    assert (await served.sdk.models.retrieve("gpt-4.1")).id == "gpt-4.1"
    _, body, _ = await served_get(served, "/v1/models/claims/summariser")
    assert body["id"] == "claims/summariser"
    with pytest.raises(openai.NotFoundError) as raised:
        await served.sdk.models.retrieve("nothing")
    assert raised.value.code == "model_not_found"


async def served_get(served: Served, path: str) -> tuple[int, Any, Any]:
    async with served.session.get(served.url + path, headers=served.headers) as answer:
        return answer.status, await answer.json(), answer.headers


async def test_headers_tell_cost_limits_and_the_ledger_entry(served: Served) -> None:
    dropped = generate_pb2.Translation(field="sampling.top_k", action=generate_pb2.TRANSLATION_ACTION_DROPPED, note="unknown there")
    served.gateway.translations = [dropped]
    raw = await served.sdk.chat.completions.with_raw_response.create(model="gpt-4.1", messages=MESSAGES)
    told = raw.headers
    assert told["x-llm-mesh-cost"] == "0.000001234"
    assert told["x-llm-mesh-cost-currency"] == "USD"
    assert told["x-llm-mesh-reservation"] == "domains/claims/projects/triage/reservations/01J"
    assert told["x-llm-mesh-model"] == "domains/shared/models/m"
    assert told["x-llm-mesh-translations"] == "sampling.top_k=dropped"
    assert (told["x-ratelimit-limit-requests"], told["x-ratelimit-remaining-requests"]) == ("100", "99")
    assert (told["x-ratelimit-reset-requests"], told["x-ratelimit-remaining-tokens"]) == ("1m0s", "9000")
    assert told["x-request-id"]


async def test_the_request_id_is_kept(served: Served) -> None:
    raw = await served.sdk.chat.completions.with_raw_response.create(
        model="gpt-4.1", messages=MESSAGES, extra_headers={"x-request-id": "mine-1"}
    )
    assert raw.headers["x-request-id"] == "mine-1"
    assert served.gateway.metadata[0]["x-request-id"] == "mine-1"


async def test_extension_fields_reach_the_gateway_and_no_provider(served: Served) -> None:
    mesh = {
        "prompt": {"name": "triage", "label": "beta", "variables": {"x": 1}},
        "tags": {"team": "a"},
        "fidelity": "exact",
        "session": "s1",
        "project": "other",
    }
    await served.sdk.chat.completions.create(
        model="gpt-4.1", messages=MESSAGES, extra_body={"llm_mesh": mesh}, extra_headers={"Idempotency-Key": "once"}
    )
    (asked,) = served.gateway.asked
    assert asked.options.prompt == gateway_pb2.PromptReference(name="triage", label="beta", variables_json='{"x":1}')
    assert dict(asked.options.tags) == {"team": "a"}
    assert asked.options.fidelity == gateway_pb2.FIDELITY_EXACT
    assert (asked.options.session, asked.options.idempotency_key) == ("s1", "once")
    assert served.gateway.metadata[0]["x-llm-mesh-project"] == "other"
    assert "llm_mesh" not in {extra.key for extra in asked.input.extras}


async def test_headers_say_the_same(served: Served) -> None:
    headers = {
        "x-llm-mesh-prompt": "triage",
        "x-llm-mesh-prompt-label": "beta",
        "x-llm-mesh-tags": "team=a, cost-centre=4711",
        "x-llm-mesh-session": "s1",
        "x-llm-mesh-fidelity": "exact",
        "x-llm-mesh-project": "other",
    }
    await served.sdk.chat.completions.create(model="gpt-4.1", messages=MESSAGES, extra_headers=headers)
    options = served.gateway.asked[0].options
    assert (options.prompt.name, options.prompt.label) == ("triage", "beta")
    assert dict(options.tags) == {"team": "a", "cost-centre": "4711"}
    assert served.gateway.metadata[0]["x-llm-mesh-project"] == "other"


async def test_a_prompt_needs_no_messages(served: Served) -> None:
    body = {"model": "gpt-4.1", "llm_mesh": {"prompt": {"name": "triage"}}}
    status, _, _ = await served.post("/v1/chat/completions", json=body)
    assert status == 200


@pytest.mark.parametrize("name", ["api-key", "x-api-key"])
async def test_keys_come_in_other_headers_too(served: Served, name: str) -> None:
    status, _, _ = await served.post("/v1/chat/completions", json={"model": "m", "messages": MESSAGES}, headers={name: "mk_ana"})
    assert status == 200
    assert served.gateway.metadata[0]["authorization"] == "Bearer mk_ana"


async def test_a_wrong_key_is_an_authentication_error(served: Served) -> None:
    with pytest.raises(openai.AuthenticationError) as raised:
        await served.sdk.with_options(api_key="mk_wrong").chat.completions.create(model="gpt-4.1", messages=MESSAGES)
    assert raised.value.code == "invalid_api_key"
    assert raised.value.type == "authentication_error"


async def test_a_limit_says_when_to_come_back(served: Served) -> None:
    served.gateway.fails = PolicyError(policy_errors.ERROR_REASON_LIMIT_EXCEEDED, "too many requests", retry_after=1.5)
    with pytest.raises(openai.RateLimitError) as raised:
        await served.sdk.chat.completions.create(model="gpt-4.1", messages=MESSAGES)
    headers = raised.value.response.headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("2", "1500")
    assert headers["x-should-retry"] == "true"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PolicyError(policy_errors.ERROR_REASON_BUDGET_EXCEEDED, "spent"), 429),
        (AdapterError(adapter_errors.ERROR_REASON_PROVIDER_ERROR, "it failed", sent="true"), 503),
        (AdapterError(adapter_errors.ERROR_REASON_PROVIDER_RATE_LIMITED, "slow down", sent="true", retry_after=1), 429),
        (PolicyError(policy_errors.ERROR_REASON_IDEMPOTENCY_COMPLETED, "done"), 409),
    ],
)
async def test_stock_retries_stop_where_they_would_cost_again(served: Served, error: MeshError, status: int) -> None:
    served.gateway.fails = error
    with pytest.raises(openai.APIStatusError) as raised:
        await served.sdk.with_options(max_retries=2).chat.completions.create(model="gpt-4.1", messages=MESSAGES)
    assert raised.value.status_code == status
    assert raised.value.response.headers["x-should-retry"] == "false"
    assert len(served.gateway.asked) == 1


async def test_an_error_before_content_is_a_plain_error_of_a_stream_too(served: Served) -> None:
    served.gateway.says = [AdapterError(adapter_errors.ERROR_REASON_PROVIDER_TIMEOUT, "too slow")]
    with pytest.raises(openai.APIStatusError) as raised:
        await served.sdk.chat.completions.create(model="gpt-4.1", messages=MESSAGES, stream=True)
    assert (raised.value.status_code, raised.value.code) == (504, "provider_timeout")


async def test_an_error_after_content_ends_the_stream_typed(served: Served) -> None:
    served.gateway.says = [STARTED, text("hello"), AdapterError(adapter_errors.ERROR_REASON_PROVIDER_RESET, "broke off")]
    stream = await served.sdk.chat.completions.create(model="gpt-4.1", messages=MESSAGES, stream=True)
    words = ""

    async def read() -> None:
        nonlocal words
        async for chunk in stream:
            words += chunk.choices[0].delta.content or ""

    with pytest.raises(openai.APIError) as raised:
        await read()
    assert words == "hello"
    assert raised.value.code == "provider_reset"


async def test_an_sdk_that_leaves_cancels_the_gateways_call(served: Served) -> None:
    served.gateway.says = [STARTED, text("hello"), served.gateway.wait]
    stream = await served.sdk.chat.completions.create(model="gpt-4.1", messages=MESSAGES, stream=True)
    await anext(aiter(stream))
    await served.gateway.waiting.wait()
    await stream.close()
    async with asyncio.timeout(2.5):
        await served.gateway.cancelled.wait()


async def test_a_client_that_gives_up_on_a_whole_answer_cancels_the_gateways_call(served: Served) -> None:
    served.gateway.waits = served.gateway.wait
    asking = asyncio.ensure_future(served.post("/v1/chat/completions", json={"model": "m", "messages": MESSAGES}))
    await served.gateway.waiting.wait()
    asking.cancel()
    async with asyncio.timeout(2.5):
        await served.gateway.cancelled.wait()


async def test_without_usage_asked_for_the_cost_stands_in_a_comment(served: Served) -> None:
    body = {"model": "m", "messages": MESSAGES, "stream": True}
    async with served.session.post(served.url + "/v1/chat/completions", json=body, headers=served.headers) as answer:
        raw = (await answer.read()).decode()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-llm-mesh-reservation"] == "01J"
    frames = raw.strip().split("\n\n")
    assert frames[-1] == "data: [DONE]"
    comments = [frame for frame in frames if frame.startswith(": llm_mesh ")]
    assert json.loads(comments[0].removeprefix(": llm_mesh "))["cost"] == "0.000001234"
    assert all('"usage":{' not in frame for frame in frames)
