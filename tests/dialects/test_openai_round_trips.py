"""The law of the dialect: from JSON to the typed payload and back is the same JSON, modelled or not, as far as the operator allows it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects import openai
from llm_mesh_dialects.addresses import MediaRule
from llm_mesh_dialects.allowing import Allowance
from tests.dialects.openai_bodies import ANSWER, REQUEST

EVERYTHING = Allowance(extras=frozenset({"*"}), media=MediaRule(frozenset({"*"})))
UNHURRIED = settings(max_examples=150)


@UNHURRIED
@given(REQUEST)
def test_a_request_comes_back_as_it_was(body: dict[str, Any]) -> None:
    payload = openai.requests.chat_to_input(body)
    sent = generate_pb2.GenerateInput.FromString(payload.SerializeToString())
    written, translations = openai.requests.input_to_chat(
        sent, openai.OpenAIQuirks(), model=body["model"], stream=False, allowance=EVERYTHING
    )
    assert written == with_contents(body)
    assert translations == []


def with_contents(body: dict[str, Any]) -> dict[str, Any]:
    """An assistant's message with tool calls has the key `content`, without which some servers refuse it."""
    messages = [{"content": None, **each} if "tool_calls" in each else each for each in body["messages"]]
    return {**body, "messages": messages}


@UNHURRIED
@given(ANSWER)
def test_an_answer_comes_back_as_it_was(body: dict[str, Any]) -> None:
    payload = openai.responses.chat_to_output(body)
    sent = generate_pb2.GenerateOutput.FromString(payload.SerializeToString())
    assert openai.responses.output_to_chat(sent) == with_true_reasons(body)


def with_true_reasons(body: dict[str, Any]) -> dict[str, Any]:
    """An answer that calls functions ends with their calls, whatever else its provider says."""
    choices = []
    for choice in body["choices"]:
        calls = [call for call in choice["message"].get("tool_calls") or () if call["type"] == "function"]
        ended = choice["finish_reason"] == "stop" and calls
        choices.append({**choice, "finish_reason": "tool_calls"} if ended else choice)
    return {**body, "choices": choices}


@UNHURRIED
@given(REQUEST)
def test_the_translation_leaves_the_body_alone(body: dict[str, Any]) -> None:
    before = repr(body)
    openai.requests.chat_to_input(body)
    assert repr(body) == before
