"""An application with an unmodified OpenAI SDK gets answers, streams, tool calls, JSON and vectors."""

from __future__ import annotations

import json
from typing import Any

import openai as sdk
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionFunctionToolParam

from tests.e2e.running import RunningMesh

WEATHER: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False},
    },
}
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}


def test_an_answer_comes_whole_with_its_usage(openai: OpenAI) -> None:
    answer = openai.chat.completions.create(model="sim-echo", messages=[{"role": "user", "content": "Say this back"}])
    assert answer.choices[0].message.content == "Say this back"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_stream_gives_the_same_text_and_its_usage_at_the_end(openai: OpenAI) -> None:
    whole = openai.chat.completions.create(model="sim-words", messages=[{"role": "user", "content": "stream"}], seed=7)
    stream = openai.chat.completions.create(
        model="sim-words", messages=[{"role": "user", "content": "stream"}], seed=7, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert len([chunk for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]) > 1
    usage = chunks[-1].usage
    assert usage is not None
    assert whole.usage is not None
    assert usage.completion_tokens == whole.usage.completion_tokens


def test_a_model_calls_a_tool_and_reads_its_result(openai: OpenAI) -> None:
    said: list[Any] = [{"role": "user", "content": "use get_weather for Bern"}]
    asked = openai.chat.completions.create(model="sim-echo", messages=said, tools=[WEATHER])
    assert asked.choices[0].finish_reason == "tool_calls"
    calls = asked.choices[0].message.tool_calls
    assert calls is not None
    call = calls[0]
    assert call.type == "function"
    assert call.function.name == "get_weather"
    assert "city" in json.loads(call.function.arguments)
    said += [asked.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    told = openai.chat.completions.create(model="sim-echo", messages=said, tools=[WEATHER])
    assert told.choices[0].message.content == "sunny"


def test_an_answer_follows_a_json_schema(openai: OpenAI) -> None:
    answer = openai.chat.completions.create(
        model="sim-echo",
        messages=[{"role": "user", "content": "a person"}],
        response_format={"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA}},
    )
    person = json.loads(answer.choices[0].message.content or "")
    assert set(person) == {"name", "age"}
    assert isinstance(person["age"], int)


def test_texts_are_embedded_in_their_order(openai: OpenAI) -> None:
    vectors = openai.embeddings.create(model="sim-embed", input=["one", "two", "one"])
    assert [item.index for item in vectors.data] == [0, 1, 2]
    assert vectors.data[0].embedding == vectors.data[2].embedding != vectors.data[1].embedding
    assert vectors.usage.prompt_tokens > 0


def test_the_models_that_a_key_may_use_are_listed(openai: OpenAI) -> None:
    listed = {model.id for model in openai.models.list()}
    assert {"sim-echo", "sim-words", "sim-embed"} <= listed


def test_a_model_that_does_not_exist_is_not_found(openai: OpenAI) -> None:
    with pytest.raises(sdk.NotFoundError) as refused:
        openai.chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": "hi"}])
    assert refused.value.code == "model_not_found"


def test_a_wrong_key_is_refused(mesh: RunningMesh) -> None:
    with (
        OpenAI(base_url=mesh.base_url, api_key="mk_0000000000000000_wrong", max_retries=0) as stranger,
        pytest.raises(sdk.AuthenticationError),
    ):
        stranger.chat.completions.create(model="sim-echo", messages=[{"role": "user", "content": "hi"}])
