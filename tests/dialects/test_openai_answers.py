"""Answers, embeddings and errors of the dialect, as servers vary them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects import openai
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.openai import OpenAIQuirks
from llm_mesh_dialects.openai.errors import OpenAIErrorBody
from tests.dialects.embedded import embedded


def answer(message: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": message or {"content": "a"}, "finish_reason": more.pop("finish", "stop")}], **more}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "choices"),
        ({"choices": []}, "choices"),
        ({"choices": [{}]}, "choices[0].message"),
        (answer({"content": 3}), "choices[0].message.content"),
        (answer({"tool_calls": [{}]}), "choices[0].message.tool_calls[0].function"),
    ],
)
def test_what_is_wrong_is_told_by_its_place(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(DialectError) as caught:
        openai.responses.chat_to_output(wrong)
    assert caught.value.field == field


def test_little_is_enough_and_null_is_nothing() -> None:
    nothing = dict.fromkeys(["id", "model", "created", "usage", "object"])
    found = openai.responses.chat_to_output(answer({"content": "a", "tool_calls": None, "refusal": None, "audio": None}, **nothing))
    assert found.choices[0].message.parts[0].text.text == "a"
    assert not found.HasField("usage")


@pytest.mark.parametrize(
    ("word", "reason", "shown"),
    [
        ("stop", generate_pb2.FINISH_REASON_STOP, "stop"),
        ("eos", generate_pb2.FINISH_REASON_STOP, "stop"),
        ("model_length", generate_pb2.FINISH_REASON_LENGTH, "length"),
        ("function_call", generate_pb2.FINISH_REASON_TOOL_CALLS, "function_call"),
        ("eos_token", generate_pb2.FINISH_REASON_STOP, "stop"),
        ("MAX_TOKENS", generate_pb2.FINISH_REASON_LENGTH, "length"),
        ("strange", generate_pb2.FINISH_REASON_OTHER, "stop"),
        (None, generate_pb2.FINISH_REASON_STOP, "stop"),
    ],
)
def test_words_of_other_servers_become_the_dialects_own(word: str | None, reason: int, shown: str | None) -> None:
    found = openai.responses.chat_to_output(answer(finish=word))
    assert found.choices[0].finish_reason == reason
    assert openai.responses.output_to_chat(found)["choices"][0]["finish_reason"] == shown


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_reasoning_is_found_under_either_name(key: str) -> None:
    found = openai.responses.chat_to_output(answer({"content": "a", key: "because"}))
    assert found.choices[0].message.parts[0].reasoning.text == "because"
    assert not found.choices[0].message.extras


def test_reasoning_that_a_server_hides_is_paid_for() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 40}
    assert openai.responses.chat_to_output(answer(usage=usage), OpenAIQuirks(hidden_reasoning=True)).usage.output_tokens == 30
    assert openai.responses.chat_to_output(answer(usage=usage)).usage.output_tokens == 5


def test_deepseeks_cache_hits_are_cached_input() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 2}
    assert openai.responses.chat_to_output(answer(usage=usage)).usage.cached_input_tokens == 8


_NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.integers(1, 4).flatmap(lambda size: st.lists(st.lists(_NUMBERS, min_size=size, max_size=size), min_size=1, max_size=3)))
def test_vectors_are_the_same_as_numbers_and_as_base64(vectors: list[list[float]]) -> None:
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    body = {"object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 3, "total_tokens": 3}}
    found = embedded(body)
    assert openai.embeddings.output_to_body(found) == body
    assert embedded(openai.embeddings.output_to_body(found, base64=True)) == found


@pytest.mark.parametrize("given_input", ["a", ["a", "b"], [1, 2], [[1, 2], [3]]])
def test_what_is_embedded_may_be_text_or_tokens(given_input: Any) -> None:
    payload = openai.embeddings.body_to_input({"model": "m", "input": given_input, "encoding_format": "base64", "dimensions": 3})
    written, translations = openai.embeddings.input_to_body(payload, model="m")
    listed = [given_input] if isinstance(given_input, str) or isinstance(given_input[0], int) else given_input
    assert written == {"model": "m", "input": listed, "dimensions": 3}
    assert translations == []


@pytest.mark.parametrize(
    ("given_input", "field"), [(None, "input"), ([], "input"), ([1, "a"], "input[0]"), ([["a"]], "input[0]"), ([True], "input[0]")]
)
def test_what_cannot_be_embedded_is_told_by_its_place(given_input: Any, field: str) -> None:
    with pytest.raises(DialectError) as caught:
        openai.embeddings.body_to_input({"model": "m", "input": given_input})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (openai.errors.body("no", type="t", code="c", param="p"), OpenAIErrorBody("no", "t", "c", "p")),
        ([{"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}], OpenAIErrorBody("no", "INVALID_ARGUMENT", "400")),
        ({"error": "no"}, OpenAIErrorBody("no")),
        ({"object": "error", "message": "no", "type": "t", "code": 40401}, OpenAIErrorBody("no", "t", "40401")),
        ({"detail": "no"}, OpenAIErrorBody("no")),
        ("no", OpenAIErrorBody()),
        (None, OpenAIErrorBody()),
    ],
)
def test_errors_are_read_in_every_shape(body: Any, said: OpenAIErrorBody) -> None:
    assert openai.errors.complaint(body) == said


def test_more_reasoning_than_output_is_beside_it() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "completion_tokens_details": {"reasoning_tokens": 20}}
    assert openai.responses.chat_to_output(answer(usage=usage), OpenAIQuirks(hidden_reasoning=True)).usage.output_tokens == 25
