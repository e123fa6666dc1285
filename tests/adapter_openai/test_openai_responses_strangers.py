"""Streams of the Responses wire that no provider should send: each is read, or is PROVIDER_MALFORMED, and nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from llm_mesh_adapter_kit.errors import AdapterError
from tests.adapter_openai.test_openai_responses_answers import collected, events_of

USAGE: Final = {"input_tokens": 1, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {}}
RESPONSE: Final = {
    "id": "r", "created_at": 1, "model": "m", "status": "completed", "output": [], "usage": USAGE,
    "incomplete_details": {"reason": "max_output_tokens"}, "service_tier": "default",
}  # fmt: skip
THOUGHT: Final = {"type": "reasoning", "id": "x", "summary": [{"type": "summary_text", "text": "t"}], "encrypted_content": "e"}
CALL: Final = {"type": "function_call", "id": "f", "call_id": "c", "name": "n", "arguments": "{}"}
LOGPROBS: Final = [{"token": "hi", "logprob": -0.1, "bytes": [104], "top_logprobs": []}]
STREAM: Final[list[dict[str, Any]]] = [
    {"type": "response.created", "sequence_number": 0, "response": RESPONSE},
    {"type": "response.reasoning_summary_part.added", "summary_index": 1, "output_index": 0},
    {"type": "response.reasoning_summary_text.delta", "delta": "think", "output_index": 0},
    {"type": "response.output_item.done", "output_index": 0, "item": THOUGHT},
    {"type": "response.output_item.added", "output_index": 1, "item": {**CALL, "arguments": ""}},
    {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{}"},
    {"type": "response.output_item.done", "output_index": 1, "item": CALL},
    {"type": "response.output_item.added", "output_index": 2, "item": {"type": "message", "id": "m", "role": "assistant", "content": []}},
    {"type": "response.output_text.delta", "output_index": 2, "delta": "hi", "logprobs": LOGPROBS},
    {"type": "response.content_part.done", "output_index": 2, "part": {"type": "output_text", "text": "hi", "annotations": []}},
    {"type": "response.completed", "response": RESPONSE},
]
ODD: Final[tuple[Any, ...]] = (None, True, -1, 2**70, 1e308, "", [[]], {"a": {}}, ["x"], "\ud800", "9" * 5000)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(each, (*path, key))


def changed(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    value = copy.copy(value)
    value[path[0]] = changed(value[path[0]], path[1:], odd)
    return value


def read(stream: list[Any]) -> Any:
    return collected(events_of([b"data: " + json.dumps(event).encode() + b"\n\n" for event in stream]))


def is_understood(stream: list[Any]) -> bool:
    try:
        read(stream)
    except AdapterError as error:
        assert error.reason_name in {"PROVIDER_MALFORMED", "PROVIDER_RESET", "PROVIDER_ERROR"}  # noqa: PT017 (it may as well be read)
        return False
    return True


@pytest.mark.parametrize("number", range(len(STREAM)))
def test_whatever_stands_anywhere_in_an_event_is_read_or_malformed(number: int) -> None:
    before, event, after = STREAM[:number], STREAM[number], STREAM[number + 1 :]
    results = [is_understood([*before, changed(event, path, odd), *after]) for path in places(event) for odd in ODD]
    assert any(results)
    for order in ([*before, *after], [*before, event, event, *after], [event, *before, *after]):
        is_understood(order)


def test_characters_that_are_cut_in_two_within_arguments_are_joined() -> None:
    pieces = [{**STREAM[5], "delta": delta} for delta in ('{"a":"\ud83d', '\ude00"}')]
    (message,) = (choice.message for choice in read([*STREAM[:5], *pieces, STREAM[-1]]).choices)
    assert message.parts[-1].tool_call.arguments_json == '{"a":"\U0001f600"}'


def test_calls_at_a_repeated_place_stay_apart() -> None:
    calls = [
        event
        for name in ("one", "two", "three")
        for event in ({**STREAM[4], "item": {**CALL, "call_id": name, "name": name, "arguments": ""}}, STREAM[5])
    ]
    (message,) = (choice.message for choice in read([STREAM[0], *calls, STREAM[-1]]).choices)
    assert [part.tool_call.name for part in message.parts] == ["one", "two", "three"]
    assert {part.tool_call.arguments_json for part in message.parts} == {"{}"}
