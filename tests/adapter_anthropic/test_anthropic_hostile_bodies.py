"""Bodies that are wrong anywhere: each is refused with a path or understood, and none is an accident."""

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.anthropic import errors, requests, responses, streams
from llm_mesh_dialects.anthropic.quirks import NEWEST
from llm_mesh_dialects.errors import DialectError, TruncatedError
from tests.adapter_anthropic.events import frames

JSON = dict[str, Any]

_REQUEST: JSON = {
    "model": "m",
    "max_tokens": 9,
    "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
    "messages": [
        {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "redacted_thinking", "data": "d"},
                {"type": "text", "text": "t", "citations": [{"type": "char_location"}]},
                {"type": "tool_use", "id": "1", "name": "n", "input": {"a": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "1", "is_error": True, "content": [{"type": "text", "text": "r"}]},
                {"type": "document", "title": "t", "source": {"type": "text", "media_type": "text/plain", "data": "d"}},
            ],
        },
    ],
    "tools": [{"name": "n", "description": "d", "input_schema": {"type": "object"}, "strict": True}],
    "tool_choice": {"type": "tool", "name": "n", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    "metadata": {"user_id": "u"},
    "stop_sequences": ["s"],
    "temperature": 0.5,
    "top_k": 5,
}
_ANSWER: JSON = {
    "id": "i",
    "model": "m",
    "content": _REQUEST["messages"][1]["content"],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 3, "output_tokens_details": {"thinking_tokens": 1}},
}
_STREAM: list[JSON] = [
    {"type": "message_start", "message": {"id": "i", "model": "m", "usage": {"input_tokens": 1, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "t"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "t"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta", "citation": {"type": "char_location"}}},
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "1", "name": "n", "input": {}}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
    {"type": "content_block_stop", "index": 2},
    {"type": "content_block_start", "index": 3, "content_block": {"type": "server_tool_use", "id": "1", "name": "n", "input": {}}},
    {"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
    {"type": "content_block_stop", "index": 3},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]
_anything = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.sampled_from(["", "x", "0", "%"]),
    st.just([]), st.just({}), st.just([1]), st.just([[]]), st.just([{}]), st.just({"type": 5}), st.just({"type": "text"}),
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in _places(each, (*path, key)))]


def _changed(whole: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    whole = copy.copy(whole)
    whole[path[0]] = _changed(whole[path[0]], path[1:], value)
    return whole


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(_places(_REQUEST)[1:]), _anything)
def test_a_request_that_is_wrong_anywhere_is_refused_with_its_path_or_understood(path: tuple[Any, ...], value: Any) -> None:
    body = _changed(_REQUEST, path, value)
    with contextlib.suppress(DialectError):
        request = requests.messages_to_input(body)
        requests.input_to_messages(request, NEWEST, model="m", stream=False)
        return
    with pytest.raises(DialectError) as caught:
        requests.messages_to_input(body)
    assert caught.value.field.split("[", maxsplit=1)[0].split(".", maxsplit=1)[0] == path[0]
    assert caught.value.expected


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(_places(_ANSWER)), _anything)
def test_an_answer_that_is_wrong_anywhere_is_refused_or_understood(path: tuple[Any, ...], value: Any) -> None:
    try:
        output = responses.message_to_output(_changed(_ANSWER, path, value))
    except DialectError:
        return
    responses.output_to_message(generate_pb2.GenerateOutput.FromString(output.SerializeToString()))


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(_places(_STREAM)[1:]), _anything)
def test_a_stream_that_is_wrong_anywhere_is_refused_or_understood(path: tuple[Any, ...], value: Any) -> None:
    reader, writer = streams.EventReader(), streams.EventWriter()
    try:
        for event in _changed(_STREAM, path, value):
            for typed in reader.feed(event):
                writer.write(generate_pb2.StreamEvent.FromString(typed.SerializeToString()))
        reader.finish()
    except (DialectError, TruncatedError):
        return
    assert writer.close().endswith(b'data: {"type":"message_stop"}\n\n')


@given(_anything | st.builds(lambda inner: {"error": inner}, _anything | st.builds(lambda v: {"message": v, "type": v}, _anything)))
def test_an_error_body_of_any_shape_is_read(value: Any) -> None:
    said = errors.complaint(value)
    assert isinstance(said.message, str)
    assert isinstance(said.type, str)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_stop", "index": 7},
        {"type": "message_start"},
        {},
        [],
        "x",
    ],
)
def test_an_event_out_of_place_is_refused(event: Any) -> None:
    with pytest.raises(DialectError):
        streams.EventReader().feed(event)


def test_a_delta_of_an_unknown_block_stays_with_its_block() -> None:
    reader, writer = streams.EventReader(), streams.EventWriter()
    events: list[JSON] = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "x_new"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hidden"}},
        {"type": "content_block_stop", "index": 0},
    ]
    typed = [each for event in events for each in reader.feed(event)]
    assert {each.WhichOneof("kind") for each in typed} == {"opaque"}
    assert frames(b"".join(writer.write(each) for each in typed))[1:] == events


def test_an_event_of_an_unknown_type_passes_to_clients_of_the_dialect_and_to_no_others() -> None:
    (typed,) = streams.EventReader().feed({"type": "x_new", "a": 1})
    assert typed.opaque.dialect == "anthropic"
    assert b'event: x_new\ndata: {"type":"x_new","a":1}\n\n' in streams.EventWriter().write(typed)
    typed.opaque.dialect = "openai"
    assert streams.EventWriter().write(typed) == b""


def test_a_stream_that_ends_without_a_reason_is_truncated() -> None:
    reader = streams.EventReader()
    for event in _STREAM[:-2]:
        reader.feed(event)
    with pytest.raises(TruncatedError):
        reader.finish()
    reader.feed(_STREAM[-2])
    assert [event.WhichOneof("kind") for event in reader.finish()] == ["usage", "finished"]
    assert reader.usage is not None
    assert (reader.usage.input_tokens, reader.usage.output_tokens) == (1, 2)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", generate_pb2.FINISH_REASON_STOP),
        ("stop_sequence", generate_pb2.FINISH_REASON_STOP),
        ("max_tokens", generate_pb2.FINISH_REASON_LENGTH),
        ("model_context_window_exceeded", generate_pb2.FINISH_REASON_LENGTH),
        ("tool_use", generate_pb2.FINISH_REASON_TOOL_CALLS),
        ("refusal", generate_pb2.FINISH_REASON_REFUSAL),
        ("pause_turn", generate_pb2.FINISH_REASON_PAUSE),
        ("x_new", generate_pb2.FINISH_REASON_OTHER),
        (None, generate_pb2.FINISH_REASON_UNSPECIFIED),
    ],
)
def test_a_stop_reason_has_its_meaning_and_keeps_its_word(word: str | None, reason: generate_pb2.FinishReason) -> None:
    without_calls = [block for block in _ANSWER["content"] if block["type"] != "tool_use"]
    output = responses.message_to_output(_ANSWER | {"content": without_calls, "stop_reason": word})
    assert output.choices[0].finish_reason == reason
    assert responses.output_to_message(output)["stop_reason"] == word
