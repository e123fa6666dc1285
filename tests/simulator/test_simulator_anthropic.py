"""The Anthropic dialect, as the official SDK sees it."""

import json
from typing import Any

import anthropic
import jsonschema
import pytest
from anthropic.types import MessageParam, ToolParam

from llm_mesh_simulator.domain import tokens
from tests.simulator.conftest import Running, http

HELLO: list[MessageParam] = [{"role": "user", "content": "Hello, wörld 🙂"}]
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city", "days"],
}
WEATHER: ToolParam = {"name": "get_weather", "input_schema": SCHEMA}
NEWS: ToolParam = {"name": "get_news", "input_schema": SCHEMA}


async def test_a_message_echoes_with_exact_usage(claude: anthropic.AsyncAnthropic) -> None:
    message = await claude.messages.create(model="sim-echo", max_tokens=100, messages=HELLO)
    assert [block.text for block in message.content if block.type == "text"] == ["Hello, wörld 🙂"]
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens == tokens.count("Hello, wörld 🙂")
    counted = await claude.messages.count_tokens(model="sim-echo", messages=HELLO)
    assert message.usage.input_tokens == counted.input_tokens


async def test_a_streamed_message_grows_to_the_whole_one(claude: anthropic.AsyncAnthropic) -> None:
    asked: dict[str, Any] = {
        "model": "sim-echo",
        "max_tokens": 3000,
        "messages": [{"role": "user", "content": "get_weather and get_news"}],
        "tools": [WEATHER, NEWS],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    }
    whole = await claude.messages.create(**asked)
    async with claude.messages.stream(**asked) as stream:
        grown = await stream.get_final_message()
    assert [block.type for block in whole.content] == ["thinking", "tool_use", "tool_use"]
    assert [block.model_dump(exclude={"parsed_output"}) for block in grown.content] == [block.model_dump() for block in whole.content]
    assert grown.usage.output_tokens == whole.usage.output_tokens
    assert grown.stop_reason == whole.stop_reason == "tool_use"
    for block in whole.content:
        if block.type == "tool_use":
            jsonschema.validate(block.input, SCHEMA)


async def test_thinking_goes_back_with_its_signature_and_not_with_another(claude: anthropic.AsyncAnthropic) -> None:
    first = await claude.messages.create(
        model="sim-echo", max_tokens=2000, messages=HELLO, thinking={"type": "enabled", "budget_tokens": 1024}
    )
    thought = first.content[0]
    assert thought.type == "thinking"
    assert first.usage.output_tokens_details is not None
    assert first.usage.output_tokens_details.thinking_tokens == tokens.count(thought.thinking)

    async def again(signature: str) -> anthropic.types.Message:
        block: Any = {"type": "thinking", "thinking": thought.thinking, "signature": signature}
        said: list[MessageParam] = [*HELLO, {"role": "assistant", "content": [block]}, {"role": "user", "content": "go on"}]
        return await claude.messages.create(model="sim-echo", max_tokens=100, messages=said)

    assert (await again(thought.signature)).stop_reason == "end_turn"
    with pytest.raises(anthropic.BadRequestError, match="signature"):
        await again("wrong")


async def test_a_cached_prefix_is_written_once_and_read_after(claude: anthropic.AsyncAnthropic) -> None:
    async def ask(text: str) -> anthropic.types.Usage:
        message = await claude.messages.create(
            model="sim-echo",
            max_tokens=50,
            system=[{"type": "text", "text": "a long system prompt " * 20, "cache_control": {"type": "ephemeral"}}],
            messages=[{"role": "user", "content": text}],
        )
        return message.usage

    first, second = await ask("one"), await ask("two")
    assert first.cache_creation_input_tokens
    assert not first.cache_read_input_tokens
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert not second.cache_creation_input_tokens
    assert first.cache_creation is not None
    assert first.cache_creation.ephemeral_5m_input_tokens == first.cache_creation_input_tokens
    assert second.input_tokens == first.input_tokens


async def test_limits_and_stop_sequences_end_a_message(claude: anthropic.AsyncAnthropic) -> None:
    cut = await claude.messages.create(model="sim-words", max_tokens=5, messages=HELLO)
    assert (cut.stop_reason, cut.usage.output_tokens) == ("max_tokens", 5)
    stopped = await claude.messages.create(model="sim-echo", max_tokens=50, messages=HELLO, stop_sequences=[" wörld"])
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", " wörld")
    refused = await claude.messages.create(model="sim-refusal", max_tokens=50, messages=HELLO)
    assert refused.stop_reason == "refusal"


async def test_structured_output_is_valid(claude: anthropic.AsyncAnthropic) -> None:
    message = await claude.messages.create(
        model="sim-echo", max_tokens=100, messages=HELLO, output_config={"format": {"type": "json_schema", "schema": SCHEMA}}
    )
    block = message.content[0]
    assert block.type == "text"
    jsonschema.validate(json.loads(block.text), SCHEMA)


async def test_models_come_in_pages(claude: anthropic.AsyncAnthropic) -> None:
    page = await claude.models.list(limit=3)
    assert len(page.data) == 3
    assert page.has_more
    listed = [each.id async for each in claude.models.list(limit=7)]
    assert len(listed) == len(set(listed)) > 30
    assert "simulator" in (await claude.models.retrieve("sim-echo")).display_name.lower()


async def test_a_stream_has_a_ping_and_names_its_events_twice(simulator: Running) -> None:
    body = b'{"model":"sim-echo","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}'
    _, headers, raw = await http(simulator.port, "POST", "/v1/messages", body, {"anthropic-version": "2023-06-01"})
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["request-id"].startswith("req_")
    assert headers["anthropic-ratelimit-input-tokens-limit"] == "2000000"
    events = [event.split(b"\n") for event in raw.strip().split(b"\n\n")]
    names = [name.removeprefix(b"event: ").decode() for name, _ in events]
    assert names == [
        "message_start", "content_block_start", "ping", "content_block_delta", "content_block_stop", "message_delta", "message_stop",
    ]  # fmt: skip
    assert [json.loads(data.removeprefix(b"data: "))["type"] for _, data in events] == names


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"{", 400, "invalid_request_error"),
        (b'{"model":"sim-echo","messages":[{"role":"user","content":"x"}]}', 400, "invalid_request_error"),
        (b'{"model":"sim-echo","max_tokens":5}', 400, "invalid_request_error"),
        (b'{"model":"sim-echo","max_tokens":5,"messages":[{"role":"user","content":5}]}', 400, "invalid_request_error"),
        (b'{"model":"sim-nothing","max_tokens":5,"messages":[{"role":"user","content":"x"}]}', 404, "not_found_error"),
    ],
)
async def test_wrong_requests_are_refused_as_anthropic_does(simulator: Running, body: bytes, status: int, kind: str) -> None:
    got, headers, raw = await http(simulator.port, "POST", "/v1/messages", body, {"anthropic-version": "2023-06-01"})
    error = json.loads(raw)
    assert (got, error["type"], error["error"]["type"]) == (status, "error", kind)
    assert error["request_id"] == headers["request-id"]


async def test_the_version_header_is_required(simulator: Running) -> None:
    body = b'{"model":"sim-echo","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
    status, _, raw = await http(simulator.port, "POST", "/v1/messages", body)
    assert status == 400
    assert b"anthropic-version" in raw
