"""The official Anthropic SDK as a client that knows nothing of the mesh."""

import asyncio
import json
from typing import Any

import anthropic
import pytest

from llm_mesh.adapter.v1 import errors_pb2 as adapter_errors
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import errors_pb2 as policy_errors
from llm_mesh_runtime.errors import MeshError, invalid
from tests.edge.conftest import Served
from tests.edge.fakes import FINISHED, STARTED, USAGE, StreamEvent, text

MESSAGES: Any = [{"role": "user", "content": "hi"}]
ASKED: Any = {"model": "claude-x", "max_tokens": 64, "messages": MESSAGES}
PATH = "/v1/messages"


class AdapterError(MeshError):
    reasons = adapter_errors.ErrorReason


class PolicyError(MeshError):
    reasons = policy_errors.ErrorReason


async def test_a_message_is_answered(served: Served) -> None:
    answer = await served.claude.messages.create(**ASKED, system="be brief")
    assert [block.text for block in answer.content if block.type == "text"] == ["hello world"]
    assert (answer.stop_reason, answer.usage.input_tokens, answer.usage.output_tokens) == ("end_turn", 5, 2)
    assert answer._request_id
    (asked,) = served.gateway.asked
    assert (asked.input.model, asked.input.source_dialect, asked.input.max_output_tokens) == ("claude-x", "anthropic", 64)
    assert asked.input.messages[0].role == content_pb2.ROLE_SYSTEM
    assert served.gateway.metadata[0]["authorization"] == "Bearer mk_ana"


async def test_a_bearer_token_is_taken_too(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    async with anthropic.AsyncAnthropic(base_url=served.url, auth_token="mk_ana", max_retries=0) as client:
        assert client.api_key is None
        await client.messages.create(**ASKED)
    assert served.gateway.metadata[0]["authorization"] == "Bearer mk_ana"


async def test_a_message_is_streamed_with_its_usage_and_cost(served: Served) -> None:
    async with served.claude.messages.stream(**ASKED) as stream:
        events = [event async for event in stream]
        final = await stream.get_final_message()
    assert "".join(block.text for block in final.content if block.type == "text") == "hello world"
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 2)
    (end,) = [event for event in events if event.type == "message_delta"]
    assert end.usage.model_extra is not None
    assert end.usage.model_extra["llm_mesh"]["cost"] == "0.000001234"


async def test_tools_are_called_whole_and_streamed(served: Served) -> None:
    call = content_pb2.ToolCall(id="c1", name="look", arguments_json='{"at":"sky"}')
    message = content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=[content_pb2.Part(tool_call=call)])
    choice = generate_pb2.Choice(message=message, finish_reason=generate_pb2.FINISH_REASON_TOOL_CALLS)
    served.gateway.output = generate_pb2.GenerateOutput(choices=[choice], usage=USAGE)
    tools: Any = [{"name": "look", "input_schema": {"type": "object", "properties": {}}}]
    answer = await served.claude.messages.create(**ASKED, tools=tools)
    (block,) = answer.content
    assert block.type == "tool_use"
    assert (block.name, block.input, answer.stop_reason) == ("look", {"at": "sky"}, "tool_use")
    assert answer.id.startswith("msg_"), "clients expect an id even of providers that give none"
    served.gateway.says = [
        STARTED,
        StreamEvent(tool_call_started=generate_pb2.ToolCallStarted(id="c1", name="look")),
        StreamEvent(tool_call=generate_pb2.ToolCallDelta(arguments_json='{"at":')),
        StreamEvent(tool_call=generate_pb2.ToolCallDelta(arguments_json='"sky"}')),
        StreamEvent(choice_finished=generate_pb2.ChoiceFinished(finish_reason=generate_pb2.FINISH_REASON_TOOL_CALLS)),
        FINISHED,
    ]
    async with served.claude.messages.stream(**ASKED, tools=tools) as stream:
        final = await stream.get_final_message()
    assert [each.input for each in final.content if each.type == "tool_use"] == [{"at": "sky"}]


async def test_tokens_are_counted_and_who_counted_is_told(served: Served) -> None:
    count = await served.claude.messages.count_tokens(model="claude-x", messages=MESSAGES)
    assert count.input_tokens == 17
    assert count.model_extra == {"llm_mesh": {"source": "estimated"}}
    assert served.gateway.asked[0].input.source_dialect == "anthropic"


async def test_models_are_listed_and_found_in_the_shape_that_is_asked_for(served: Served) -> None:
    listed = [model async for model in await served.claude.models.list()]
    assert [model.id for model in listed] == ["gpt-4.1", "claims/summariser"]
    assert (listed[0].type, listed[0].created_at.year) == ("model", 2023)
    assert (await served.claude.models.retrieve("gpt-4.1")).display_name == "gpt-4.1"
    assert (await served.sdk.models.retrieve("gpt-4.1")).object == "model"
    with pytest.raises(anthropic.NotFoundError) as raised:
        await served.claude.models.retrieve("nothing")
    assert complaint(raised.value)["code"] == "model_not_found"


async def test_betas_travel_with_the_request(served: Served) -> None:
    headers = [("x-api-key", "mk_ana"), ("anthropic-beta", "one-2026, two-2026"), ("anthropic-beta", "three-2026")]
    status, _, _ = await served.post(PATH, json=ASKED | {"anthropic_beta": ["four-2026", "one-2026"]}, headers=headers)
    assert status == 200
    (extra,) = served.gateway.asked[0].input.extras
    assert (extra.dialect, extra.key) == ("anthropic", "anthropic_beta")
    assert json.loads(extra.json) == ["one-2026", "two-2026", "three-2026", "four-2026"]


async def test_headers_tell_cost_limits_and_the_ledger_entry(served: Served) -> None:
    dropped = generate_pb2.Translation(field="sampling.top_k", action=generate_pb2.TRANSLATION_ACTION_DROPPED)
    served.gateway.translations = [dropped]
    raw = await served.claude.messages.with_raw_response.create(**ASKED, extra_headers={"x-request-id": "mine-1"})
    told = raw.headers
    assert (told["x-llm-mesh-cost"], told["x-llm-mesh-cost-currency"]) == ("0.000001234", "USD")
    assert told["x-llm-mesh-reservation"] == "domains/claims/projects/triage/reservations/01J"
    assert told["x-llm-mesh-translations"] == "sampling.top_k=dropped"
    assert told["x-ratelimit-remaining-requests"] == "99"
    assert told["x-request-id"] == told["request-id"] == "mine-1"


async def test_extension_fields_reach_the_gateway_and_no_provider(served: Served) -> None:
    mesh = {"prompt": {"name": "triage"}, "tags": {"team": "a"}, "fidelity": "exact", "project": "other"}
    status, _, _ = await served.post(PATH, json={"model": "m", "max_tokens": 9, "llm_mesh": mesh})
    assert status == 200, "a prompt needs no messages"
    (asked,) = served.gateway.asked
    assert (asked.options.prompt.name, asked.options.fidelity) == ("triage", gateway_pb2.FIDELITY_EXACT)
    assert dict(asked.options.tags) == {"team": "a"}
    assert served.gateway.metadata[0]["x-llm-mesh-project"] == "other"
    assert not asked.input.extras


def complaint(error: anthropic.APIStatusError) -> dict[str, Any]:
    """What the body says, which must have the dialect's shape."""
    body: Any = error.body
    assert body["type"] == "error"
    assert body["request_id"] == error.request_id
    inner: dict[str, Any] = body["error"]
    return inner


async def test_a_wrong_key_is_an_authentication_error(served: Served) -> None:
    with pytest.raises(anthropic.AuthenticationError) as raised:
        await served.claude.with_options(api_key="mk_wrong").messages.create(**ASKED)
    assert (complaint(raised.value)["type"], complaint(raised.value)["code"]) == ("authentication_error", "invalid_credential")


async def test_a_limit_says_when_to_come_back(served: Served) -> None:
    served.gateway.fails = PolicyError(policy_errors.ERROR_REASON_LIMIT_EXCEEDED, "too many requests", retry_after=1.5)
    with pytest.raises(anthropic.RateLimitError) as raised:
        await served.claude.messages.create(**ASKED)
    assert (raised.value.response.headers["retry-after"], raised.value.response.headers["retry-after-ms"]) == ("2", "1500")
    assert complaint(raised.value)["type"] == "rate_limit_error"


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (PolicyError(policy_errors.ERROR_REASON_BUDGET_EXCEEDED, "spent"), 429, "billing_error"),
        (AdapterError(adapter_errors.ERROR_REASON_PROVIDER_ERROR, "it failed", sent="true"), 503, "api_error"),
        (PolicyError(policy_errors.ERROR_REASON_IDEMPOTENCY_COMPLETED, "done"), 409, "invalid_request_error"),
    ],
)
async def test_stock_retries_stop_where_they_would_cost_again(served: Served, error: MeshError, status: int, kind: str) -> None:
    served.gateway.fails = error
    with pytest.raises(anthropic.APIStatusError) as raised:
        await served.claude.with_options(max_retries=2).messages.create(**ASKED)
    assert (raised.value.status_code, complaint(raised.value)["type"]) == (status, kind)
    assert len(served.gateway.asked) == 1


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"messages": "hi"}, "messages"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64"}}]}]},
            "messages[0].content[0].source.data",
        ),
        ({"stream": "yes"}, "stream"),
        ({"anthropic_beta": "x"}, "anthropic_beta"),
        ({"llm_mesh": {"nonsense": 1}}, "llm_mesh.nonsense"),
    ],
)
async def test_a_wrong_type_is_named_by_its_path(served: Served, change: dict[str, Any], param: str) -> None:
    headers = served.headers | {"anthropic-beta": "one-2026"}
    status, body, _ = await served.post(PATH, json=ASKED | change, headers=headers)
    assert (status, body["error"]["type"], body["error"]["code"]) == (400, "invalid_request_error", "invalid_field")
    assert body["error"]["param"] == param
    assert not served.gateway.asked


async def test_a_field_that_the_mesh_refuses_has_the_dialects_name(served: Served) -> None:
    served.gateway.fails = invalid("input.max_output_tokens", "less")
    with pytest.raises(anthropic.BadRequestError) as raised:
        await served.claude.messages.create(**ASKED)
    assert complaint(raised.value)["param"] == "max_tokens"


async def test_paths_and_methods_that_are_wrong_are_told_in_the_clients_dialect(served: Served) -> None:
    status, body, _ = await served.post("/v1/messages/batches", json={}, headers=served.headers | {"anthropic-version": "2023-06-01"})
    assert (status, body["error"]["type"]) == (404, "not_found_error")
    assert body["type"] == "error"
    async with served.session.get(served.url + PATH) as answer:
        assert (answer.status, (await answer.json())["type"]) == (405, "error")
    status, body, _ = await served.post(PATH, data=b"{")
    assert (status, body["error"]["code"]) == (400, "invalid_json")


async def test_an_error_before_content_is_a_plain_error_of_a_stream_too(served: Served) -> None:
    served.gateway.says = [AdapterError(adapter_errors.ERROR_REASON_PROVIDER_TIMEOUT, "too slow")]
    with pytest.raises(anthropic.APIStatusError) as raised:
        await served.claude.messages.create(**ASKED, stream=True)
    assert (raised.value.status_code, complaint(raised.value)["code"]) == (504, "provider_timeout")


async def broken(served: Served) -> tuple[str, dict[str, Any]]:
    """What a stream that breaks off has said, and its complaint."""
    stream = await served.claude.messages.create(**ASKED, stream=True)
    words = ""

    async def read() -> None:
        nonlocal words
        async for event in stream:
            assert event.type != "message_stop"
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                words += event.delta.text

    with pytest.raises(anthropic.APIStatusError) as raised:
        await read()
    return words, complaint(raised.value)


async def test_an_error_after_content_ends_the_stream_typed(served: Served) -> None:
    served.gateway.says = [STARTED, text("hello"), AdapterError(adapter_errors.ERROR_REASON_PROVIDER_RESET, "broke off")]
    words, told = await broken(served)
    assert (words, told["code"], told["type"]) == ("hello", "provider_reset", "api_error")


async def test_an_answer_that_the_dialect_cannot_tell_ends_the_stream_typed(served: Served) -> None:
    unknown = StreamEvent(tool_call=generate_pb2.ToolCallDelta(index=0, arguments_json="{}"))
    served.gateway.says = [STARTED, text("hello"), unknown]
    words, told = await broken(served)
    assert (words, told["code"]) == ("hello", "not_translatable")


async def test_an_sdk_that_leaves_cancels_the_gateways_call(served: Served) -> None:
    served.gateway.says = [STARTED, text("hello"), served.gateway.wait]
    stream = await served.claude.messages.create(**ASKED, stream=True)
    await anext(aiter(stream))
    await served.gateway.waiting.wait()
    await stream.close()
    async with asyncio.timeout(2.5):
        await served.gateway.cancelled.wait()


async def test_a_client_that_gives_up_on_a_whole_answer_cancels_the_gateways_call(served: Served) -> None:
    served.gateway.waits = served.gateway.wait
    asking = asyncio.ensure_future(served.post(PATH, json=ASKED))
    await served.gateway.waiting.wait()
    asking.cancel()
    async with asyncio.timeout(2.5):
        await served.gateway.cancelled.wait()
