"""An application with an unmodified OpenAI SDK asks for responses, of models of every wire."""

from __future__ import annotations

import json
from typing import Any

import openai as sdk
import pytest
from openai import OpenAI
from openai.types.responses import Response

from tests.e2e.running import RunningMesh

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False},
    "strict": True,
}
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def streamed(openai: OpenAI, **asked: Any) -> tuple[list[Any], Response]:
    """All events of a stream, which are numbered without a gap, and the response of the last one."""
    events = list(openai.responses.create(stream=True, **asked))
    assert [each.sequence_number for each in events] == list(range(len(events)))
    return events, events[-1].response


def test_an_answer_comes_whole_with_its_usage(openai: OpenAI) -> None:
    answer = openai.responses.create(model="sim-echo", input="Say this back", store=False)
    assert answer.output_text == "Say this back"
    assert answer.status == "completed"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0


def test_a_stream_has_its_events_in_order_and_ends_with_the_whole_response(openai: OpenAI) -> None:
    events, response = streamed(openai, model="sim-echo", input="one two three")
    kinds = [each.type for each in events]
    assert kinds[:4] == ["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"]
    assert kinds[-4:] == ["response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed"]
    assert set(kinds[4:-4]) == {"response.output_text.delta"}
    assert "".join(each.delta for each in events[4:-4]) == response.output_text == "one two three"
    whole = openai.responses.create(model="sim-echo", input="one two three")
    assert [each.type for each in whole.output] == [each.type for each in response.output]
    assert whole.usage == response.usage


def test_a_model_calls_a_tool_and_reads_its_result(openai: OpenAI) -> None:
    said: list[Any] = [{"role": "user", "content": "use get_weather for Bern"}]
    events, asked = streamed(openai, model="sim-echo", input=said, tools=[WEATHER])
    (call,) = [each for each in asked.output if each.type == "function_call"]
    assert call.name == "get_weather"
    assert json.loads(call.arguments).keys() == {"city"}
    assert "".join(each.delta for each in events if each.type == "response.function_call_arguments.delta") == call.arguments
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny in Bern"}
    history: Any = [*said, *asked.output, result]
    answer = openai.responses.create(model="sim-echo", input=history, tools=[WEATHER])
    assert "sunny in Bern" in answer.output_text


def test_the_systems_instructions_and_several_turns_reach_the_model(openai: OpenAI) -> None:
    said: list[Any] = [
        {"role": "user", "content": "My name is Ana."},
        {"role": "assistant", "content": "Hello Ana."},
        {"role": "user", "content": "What is my name?"},
    ]
    answer = openai.responses.create(model="sim-echo", instructions="Talk like a pirate.", input=said)
    assert answer.instructions == "Talk like a pirate."
    assert answer.output_text == "What is my name?"


def test_an_image_is_read(openai: OpenAI) -> None:
    content: Any = [
        {"type": "input_text", "text": "What is on it?"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}", "detail": "auto"},
    ]
    assert openai.responses.create(model="sim-echo", input=[{"role": "user", "content": content}]).status == "completed"


def test_a_form_of_the_answer_is_kept_to(openai: OpenAI) -> None:
    form: Any = {"format": {"type": "json_schema", "name": "person", "schema": SCHEMA, "strict": True}}
    answer = openai.responses.create(model="sim-echo", input="a person", text=form)
    assert json.loads(answer.output_text).keys() == {"name", "age"}
    assert answer.text is not None
    assert answer.text.format is not None
    assert answer.text.format.type == "json_schema"


def test_an_answer_that_is_cut_is_incomplete(openai: OpenAI) -> None:
    _, response = streamed(openai, model="sim-words", input="many", max_output_tokens=16)
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


def test_what_a_request_has_is_counted(openai: OpenAI) -> None:
    count = openai.responses.input_tokens.count(model="sim-echo", input="one two three")
    assert count.object == "response.input_tokens"
    assert count.input_tokens > 0


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"input": [{"type": "message", "role": "nobody", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input[0].content[0].image_url"),
        ({"input": "x", "tools": [{"type": "function"}]}, "tools[0].name"),
        ({"input": "x", "text": {"format": {"type": "json_schema", "name": "a"}}}, "text.format.schema"),
        ({"input": "x", "max_output_tokens": 0}, "max_output_tokens"),
        ({"input": "x", "temperature": 3}, "temperature"),
        ({"input": "x", "store": True}, "store"),
        ({"input": "x", "previous_response_id": "resp_1"}, "previous_response_id"),
        ({"input": "x", "background": True}, "background"),
        ({"input": 3}, "input"),
    ],
)
def test_what_is_wrong_is_named_as_its_writer_does(openai: OpenAI, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(sdk.BadRequestError) as raised:
        openai.responses.create(model="sim-echo", **wrong)
    assert raised.value.param == field
    assert field in str(raised.value)


def test_a_model_of_the_same_wire_answers_alike(embedded: RunningMesh) -> None:
    with OpenAI(base_url=embedded.base_url, api_key=embedded.project_key, max_retries=0) as openai:
        events, response = streamed(openai, model="sim-responses", input="one two three")
        assert response.output_text == "one two three"
        assert [each.type for each in events[:2]] == ["response.created", "response.in_progress"]
        said: list[Any] = [{"role": "user", "content": "use get_weather for Bern"}]
        called = openai.responses.create(model="sim-responses", input=said, tools=[WEATHER])
        (call,) = [each for each in called.output if each.type == "function_call"]
        result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny in Bern"}
        history: Any = [*said, *called.output, result]
        assert "sunny in Bern" in openai.responses.create(model="sim-responses", input=history, tools=[WEATHER]).output_text
