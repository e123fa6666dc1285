"""An application with an unmodified Anthropic SDK gets answers from models of any provider, and one with OpenAI's from Anthropic's."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import anthropic as sdk
import pytest
from anthropic import Anthropic
from openai import OpenAI

from tests.e2e.running import RunningMesh

OF_OPENAI, OF_ANTHROPIC, OF_GEMINI = "sim-echo", "sim-anthropic", "sim-gemini"
"""Models behind adapters of three dialects."""
TOOL: Any = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture
def claude(mesh: RunningMesh) -> Iterator[Anthropic]:
    """Anthropic's own SDK, unmodified, with the first project's key; it does not repeat requests."""
    with Anthropic(base_url=mesh.http, api_key=mesh.project_key, max_retries=0, timeout=30) as client:
        yield client


def said(text: str) -> Any:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("model", [OF_OPENAI, OF_ANTHROPIC, OF_GEMINI])
def test_an_answer_comes_whole_with_its_usage_and_its_cost(claude: Anthropic, model: str) -> None:
    raw = claude.messages.with_raw_response.create(model=model, max_tokens=100, system="repeat", messages=said("Say this back"))
    answer = raw.parse()
    assert [block.text for block in answer.content if block.type == "text"] == ["Say this back"]
    assert answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0
    assert Decimal(raw.headers["x-llm-mesh-cost"]) >= 0


@pytest.mark.parametrize("model", [OF_OPENAI, OF_ANTHROPIC, OF_GEMINI])
def test_a_stream_gives_the_same_text(claude: Anthropic, model: str) -> None:
    with claude.messages.stream(model=model, max_tokens=100, messages=said("one two three four five six")) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    assert "".join(pieces) == "one two three four five six"
    assert len(pieces) > 1
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens > 0


@pytest.mark.parametrize("model", [OF_OPENAI, OF_ANTHROPIC, OF_GEMINI])
def test_a_model_calls_a_tool_and_reads_its_result(claude: Anthropic, model: str) -> None:
    conversation = said("use get_weather for Bern")
    asked = claude.messages.create(model=model, max_tokens=200, messages=conversation, tools=[TOOL])
    assert asked.stop_reason == "tool_use"
    (call,) = [block for block in asked.content if block.type == "tool_use"]
    assert call.name == "get_weather"
    conversation.append({"role": "assistant", "content": asked.content})
    conversation.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}]})
    told = claude.messages.create(model=model, max_tokens=200, messages=conversation, tools=[TOOL])
    assert [block.text for block in told.content if block.type == "text"] == ["sunny"]


@pytest.mark.parametrize(("model", "source"), [(OF_OPENAI, "estimated"), (OF_ANTHROPIC, "provider"), (OF_GEMINI, "provider")])
def test_tokens_are_counted_by_whom_it_can_be(claude: Anthropic, model: str, source: str) -> None:
    count = claude.messages.count_tokens(model=model, messages=said("how many are these?"))
    assert count.input_tokens > 0
    assert count.model_extra == {"llm_mesh": {"source": source}}


def test_the_models_that_a_key_may_use_are_listed(claude: Anthropic) -> None:
    assert {OF_OPENAI, OF_ANTHROPIC, OF_GEMINI} <= {model.id for model in claude.models.list()}
    assert claude.models.retrieve(OF_OPENAI).type == "model"


def test_a_model_that_does_not_exist_is_not_found(claude: Anthropic) -> None:
    with pytest.raises(sdk.NotFoundError) as refused:
        claude.messages.create(model="no-such-model", max_tokens=9, messages=said("hi"))
    assert refused.value.type == "not_found_error"


@pytest.mark.parametrize("model", [OF_ANTHROPIC, OF_GEMINI])
def test_an_openai_sdk_asks_a_model_of_another_dialect(openai: OpenAI, model: str) -> None:
    answer = openai.chat.completions.create(model=model, messages=said("Say this back"))
    assert answer.choices[0].message.content == "Say this back"
    stream = openai.chat.completions.create(model=model, messages=said("Say this back"), stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == "Say this back"


def test_an_openai_sdk_carries_the_proof_of_geminis_thinking(openai: OpenAI) -> None:
    """The simulator refuses a signature that is not that of the call at which it stands."""
    tools: Any = [{"type": "function", "function": {"name": TOOL["name"], "parameters": TOOL["input_schema"]}}]
    conversation = said("use get_weather for Bern")
    asked = openai.chat.completions.create(model=OF_GEMINI, messages=conversation, tools=tools).choices[0]
    assert asked.finish_reason == "tool_calls"
    call = (asked.message.tool_calls or [])[0]
    assert (call.model_extra or {})["extra_content"]["google"]["thought_signature"].startswith("gemini:")
    conversation += [asked.message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    told = openai.chat.completions.create(model=OF_GEMINI, messages=conversation, tools=tools)
    assert told.choices[0].message.content == "sunny"
    assert "translations" not in (told.model_extra or {}), "nothing was left out"
