"""Models behind wires of their own answer applications with the SDKs that they have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import Anthropic
from openai import OpenAI

from tests.e2e.running import RunningMesh
from tests.e2e.test_openai_sdk import SCHEMA, WEATHER

MODELS = ("sim-bedrock", "sim-cohere", "sim-gemini", "sim-ollama")
COUNTED = ("sim-bedrock", "sim-gemini")
"""Whose providers count tokens beforehand."""
HELLO: Any = [{"role": "user", "content": "Grüße an alle"}]


@pytest.fixture
def anthropic(mesh: RunningMesh) -> Iterator[Anthropic]:
    with Anthropic(base_url=mesh.http, api_key=mesh.project_key, max_retries=0, timeout=30) as client:
        yield client


@pytest.mark.parametrize("model", MODELS)
def test_openais_sdk_gets_answers_streams_and_usage(openai: OpenAI, model: str) -> None:
    whole = openai.chat.completions.create(model=model, messages=HELLO)
    chunks = list(openai.chat.completions.create(model=model, messages=HELLO, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content == "Grüße an alle"
    assert whole.choices[0].finish_reason == "stop"
    assert whole.usage is not None
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_openais_sdk_gets_tool_calls_and_answers_by_a_schema(openai: OpenAI, model: str) -> None:
    messages: list[Any] = [{"role": "user", "content": "use get_weather for Bern"}]
    for_tools = openai.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
    assert for_tools.choices[0].finish_reason == "tool_calls"
    calls = for_tools.choices[0].message.tool_calls
    assert calls
    call = calls[0]
    messages += [for_tools.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    assert openai.chat.completions.create(model=model, messages=messages, tools=[WEATHER]).choices[0].message.content == "sunny"
    form: Any = {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA, "strict": True}}
    person = openai.chat.completions.create(model=model, messages=HELLO, response_format=form).choices[0].message.content
    assert json.loads(person or "").keys() == {"name", "age"}


@pytest.mark.parametrize("model", MODELS)
def test_anthropics_sdk_gets_answers_and_streams(anthropic: Anthropic, model: str) -> None:
    whole: Any = anthropic.messages.create(model=model, max_tokens=50, messages=HELLO)
    with anthropic.messages.stream(model=model, max_tokens=50, messages=HELLO) as stream:
        assert stream.get_final_text() == whole.content[0].text == "Grüße an alle"
    counted = anthropic.messages.count_tokens(model=model, messages=HELLO)
    assert counted.input_tokens == whole.usage.input_tokens if model in COUNTED else counted.input_tokens >= whole.usage.input_tokens
