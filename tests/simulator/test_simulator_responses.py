"""OpenAI's Responses, as the official SDK sees them: its models parse everything, and find in streams what they find in whole answers."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai.types.responses import FunctionToolParam, Response

from llm_mesh_simulator.domain import tokens

TEXT = "Hello, wörld 🙂"
TOOL: FunctionToolParam = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": True,
}


async def streamed(client: openai.AsyncOpenAI, **request: object) -> tuple[list[str], Response]:
    """The kinds of events in their order, and the response of the last one."""
    kinds: list[str] = []
    numbers: list[int] = []
    final: Response | None = None
    async for event in await client.responses.create(stream=True, **request):  # type: ignore[call-overload]
        kinds.append(event.type)
        numbers.append(event.sequence_number)
        assert not event.model_extra, "the SDK knows every field"
        final = getattr(event, "response", final)
    assert numbers == sorted(set(numbers))
    assert final is not None
    return kinds, final


def comparable(response: Response) -> dict[str, object]:
    """Without what differs from answer to answer."""
    shown = response.model_dump(exclude={"id", "created_at", "completed_at"})
    for item in shown["output"]:
        if item["type"] == "message":
            item.pop("id")
    return shown


@pytest.mark.parametrize(
    "request_",
    [
        {"model": "sim-echo", "input": TEXT},
        {"model": "sim-refusal", "input": TEXT},
        {"model": "sim-words", "input": TEXT, "max_output_tokens": 5},
        {"model": "sim-echo", "input": "please use get_weather", "tools": [TOOL]},
        {"model": "sim-echo", "input": TEXT, "reasoning": {"effort": "low", "summary": "auto"}},
        {"model": "sim-echo", "input": "run_it", "tools": [{"type": "custom", "name": "run_it"}], "tool_choice": "required"},
        {"model": "sim-echo", "input": TEXT, "include": ["message.output_text.logprobs"], "top_logprobs": 2},
    ],
)
async def test_a_stream_says_what_the_whole_response_says(chat: openai.AsyncOpenAI, request_: dict[str, object]) -> None:
    whole = await chat.responses.create(**request_)  # type: ignore[call-overload]
    kinds, final = await streamed(chat, **request_)
    assert comparable(final) == comparable(whole)
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == f"response.{whole.status}"
    assert not whole.model_extra


async def test_usage_is_exact(chat: openai.AsyncOpenAI) -> None:
    response = await chat.responses.create(model="sim-echo", input=TEXT, reasoning={"effort": "low"})
    assert response.output_text == TEXT
    assert response.usage is not None
    assert response.usage.output_tokens == tokens.count(TEXT) + response.usage.output_tokens_details.reasoning_tokens
    assert response.usage.input_tokens == tokens.count(TEXT) + tokens.PER_MESSAGE + tokens.PER_REQUEST
    counted = await chat.responses.input_tokens.count(model="sim-echo", input=TEXT)
    assert counted.input_tokens == response.usage.input_tokens


async def test_reasoning_goes_back_before_what_it_led_to(chat: openai.AsyncOpenAI) -> None:
    first = await chat.responses.create(model="sim-reasoning", input="please use get_weather", tools=[TOOL])
    call = next(item for item in first.output if item.type == "function_call")
    items: list[Any] = [{"role": "user", "content": "please use get_weather"}]
    items += [item.model_dump(exclude_none=True) for item in first.output]
    items.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
    answer = await chat.responses.create(model="sim-reasoning", input=items, tools=[TOOL])
    assert answer.output_text == "sunny"
    with pytest.raises(openai.BadRequestError, match="could not be verified"):
        await chat.responses.create(model="sim-echo", input=items, tools=[TOOL])
    del items[1]["encrypted_content"]
    with pytest.raises(openai.NotFoundError, match="not persisted"):
        await chat.responses.create(model="sim-reasoning", input=items, tools=[TOOL])


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]}, "No tool call found"),
        ({"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]}, "No tool output found"),
        ({"input": "x", "previous_response_id": "resp_1"}, "not found"),
        ({"input": "x", "background": True}, "no background mode"),
        ({"input": "x", "max_output_tokens": 0}, "below minimum"),
        ({"input": [{"role": "robot", "content": "x"}]}, "Invalid value: 'robot'"),
        ({}, "Missing required parameter: 'input'"),
    ],
)
async def test_wrong_requests_are_refused_as_openai_refuses_them(
    chat: openai.AsyncOpenAI, request_: dict[str, object], complaint: str
) -> None:
    with pytest.raises(openai.APIStatusError, match=complaint):
        await chat.responses.create(model="sim-echo", **request_)  # type: ignore[call-overload]


async def test_a_failure_in_the_middle_is_an_error_event(chat: openai.AsyncOpenAI) -> None:
    kinds, response = await streamed(chat, model="sim-mid-error", input=TEXT)
    assert (kinds[-1], response.status) == ("error", "in_progress")
