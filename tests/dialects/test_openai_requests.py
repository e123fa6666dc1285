"""Requests: complaints with their place, servers that differ, and what a foreign payload becomes."""

from __future__ import annotations

from typing import Any

import pytest

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects import openai
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.openai import OpenAIQuirks

Part = content_pb2.Part
DROPPED = generate_pb2.TRANSLATION_ACTION_DROPPED
RENAMED = generate_pb2.TRANSLATION_ACTION_RENAMED
APPROXIMATED = generate_pb2.TRANSLATION_ACTION_APPROXIMATED


def body(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages), **more}


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def sent(
    payload: generate_pb2.GenerateInput, quirks: OpenAIQuirks | None = None, **more: Any
) -> tuple[dict[str, Any], list[tuple[str, int]]]:
    written, translations = openai.requests.input_to_chat(
        payload, quirks or OpenAIQuirks(), model="m", stream=more.pop("stream", False), **more
    )
    return written, [(each.field, each.action) for each in translations]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "model"),
        ({"model": "m"}, "messages"),
        (body() | {"messages": "hello"}, "messages"),
        (body(3), "messages[0]"),
        (body({"content": "a"}), "messages[0].role"),
        (body({"role": "function", "content": "a"}), "messages[0].role"),
        (body({"role": "user"}), "messages[0].content"),
        (body({"role": "user", "content": 3}), "messages[0].content"),
        (body(user({"type": "text"})), "messages[0].content[0].text"),
        (body(user({"text": "a"})), "messages[0].content[0].type"),
        (body(user({"type": "text", "text": "a"}, {"type": "image_url", "image_url": "u"})), "messages[0].content[1].image_url"),
        (body(user({"type": "image_url", "image_url": {"url": "nonsense"}})), "messages[0].content[0].image_url.url"),
        (body(user({"type": "image_url", "image_url": {"url": "data:image/png;base64,?"}})), "messages[0].content[0].image_url.url"),
        (body(user({"type": "input_audio", "input_audio": {"data": "AAAA"}})), "messages[0].content[0].input_audio.format"),
        (body({"role": "tool", "content": "a"}), "messages[0].tool_call_id"),
        (body({"role": "assistant", "tool_calls": [{"id": "a", "function": {}}]}), "messages[0].tool_calls[0].function.name"),
        (body(tools=[{"type": "function"}]), "tools[0].function"),
        (body(tools=[{"type": "function", "function": {"name": "f", "parameters": []}}]), "tools[0].function.parameters"),
        (body(tool_choice="maybe"), "tool_choice"),
        (body(temperature="warm"), "temperature"),
        (body(temperature=True), "temperature"),
        (body(n=0), "n"),
        (body(n=1.5), "n"),
        (body(n=10**20), "n"),
        (body(max_tokens=0), "max_tokens"),
        (body(seed=2**63), "seed"),
        (body(stop=["a", 1]), "stop"),
        (body(logit_bias={"1": "a"}), "logit_bias.1"),
        (body(top_logprobs=3), "top_logprobs"),
        (body(logprobs=True, top_logprobs=21), "top_logprobs"),
        (body(response_format={"type": "json_schema"}), "response_format.json_schema"),
        (body(stream_options=[]), "stream_options"),
    ],
)
def test_what_is_wrong_is_told_by_its_place(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(DialectError) as caught:
        openai.requests.chat_to_input(wrong)
    assert caught.value.field == field


def test_null_is_the_same_as_absent() -> None:
    keys = [
        "tools",
        "tool_choice",
        "temperature",
        "n",
        "stop",
        "user",
        "response_format",
        "stream_options",
        "logprobs",
        "max_tokens",
        "seed",
    ]
    nothing = openai.requests.chat_to_input(body({"role": "user", "content": "a"}, **dict.fromkeys(keys)))
    assert nothing == openai.requests.chat_to_input(body({"role": "user", "content": "a"}))


def test_a_stream_always_asks_for_usage_and_keeps_other_options() -> None:
    payload = openai.requests.chat_to_input(body(stream=True, stream_options={"include_obfuscation": False}))
    assert not payload.include_usage
    assert sent(payload, stream=True)[0]["stream_options"] == {"include_usage": True, "include_obfuscation": False}
    assert "stream_options" not in sent(payload)[0]
    assert "stream_options" not in sent(payload, OpenAIQuirks(stream_usage=False), stream=True)[0]


def test_servers_differ_as_their_row_says() -> None:
    payload = openai.requests.chat_to_input(
        body({"role": "developer", "content": "a"}, seed=4, max_tokens=9, top_k=3, user="u", reasoning_effort="low", prompt_cache_key="k")
    )
    quirks = OpenAIQuirks(
        max_tokens="max_tokens", developer_role=False, seed="random_seed", top_k=True, reasoning="reasoning", prompt_cache_key=False,
        unsupported=frozenset({"user"}),
    )  # fmt: skip
    written, translations = sent(payload, quirks)
    assert written == {
        "model": "m", "messages": [{"role": "system", "content": "a"}], "max_tokens": 9, "random_seed": 4, "top_k": 3,
        "reasoning": {"effort": "low"},
    }  # fmt: skip
    assert translations == [("messages[0].role", RENAMED), ("prompt_cache_key", DROPPED), ("end_user", DROPPED)]


def test_keys_of_another_dialect_are_left_out_and_told() -> None:
    foreign = content_pb2.Extra(dialect="anthropic", key="thinking", json=b"{}")
    text = Part(text=content_pb2.Text(text="a"), extras=[foreign], cache_hint=content_pb2.CacheHint())
    message = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[text], extras=[foreign])
    payload = generate_pb2.GenerateInput(messages=[message], extras=[foreign], reasoning=generate_pb2.ReasoningOptions(budget_tokens=9))
    payload.tools.add(opaque=content_pb2.OpaquePart(dialect="anthropic", type="bash", json=b"{}"))
    written, translations = sent(payload)
    assert written == {"model": "m", "messages": [{"role": "user", "content": "a"}], "reasoning_effort": "minimal"}
    fields = [
        "messages[0].parts[0].cache_hint",
        "messages[0].parts[0].extras[anthropic.thinking]",
        "messages[0].extras[anthropic.thinking]",
        "tools[0].opaque",
        "extras[anthropic.thinking]",
    ]
    assert translations == [*((field, DROPPED) for field in fields), ("reasoning.budget_tokens", APPROXIMATED)]


def test_results_of_tools_follow_their_calls_and_media_come_after_the_last() -> None:
    image = Part(image=content_pb2.Media(uri="https://example.com/a.png"))
    text = Part(text=content_pb2.Text(text="seen"))
    results = [Part(tool_result=content_pb2.ToolResult(tool_call_id=name, parts=[text, image], is_error=name == "b")) for name in "ab"]
    question = Part(text=content_pb2.Text(text="and?"))
    payload = generate_pb2.GenerateInput(messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[*results, question])])
    written, translations = sent(payload)
    assert [message["role"] for message in written["messages"]] == ["tool", "tool", "user", "user"]
    assert [part["type"] for part in written["messages"][2]["content"]] == ["image_url", "image_url"]
    assert written["messages"][3]["content"] == "and?"
    assert ("messages[0].parts[1].tool_result.is_error", DROPPED) in translations
    assert ("messages[0].parts[0].tool_result.parts", APPROXIMATED) in translations


@pytest.mark.parametrize("key", ["", "reasoning", "reasoning_content"])
def test_earlier_reasoning_goes_back_only_where_it_is_taken(key: Any) -> None:
    said = {"role": "assistant", "content": "a", "reasoning_content": "because"}
    written, translations = sent(openai.requests.chat_to_input(body(said)), OpenAIQuirks(reasoning_history=key))
    assert written["messages"][0].get(key) == ("because" if key else None)
    assert translations == ([] if key else [("messages[0].parts[0].reasoning", DROPPED)])


def test_cache_hints_reach_servers_that_take_them() -> None:
    text = Part(text=content_pb2.Text(text="a"), cache_hint=content_pb2.CacheHint(ttl_seconds=3600))
    payload = generate_pb2.GenerateInput(messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[text])])
    written, translations = sent(payload, OpenAIQuirks(cache_control=True))
    assert written["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert translations == []


def test_an_extra_never_replaces_what_is_typed() -> None:
    keys = ["model", "messages", "n", "max_tokens", "max_completion_tokens", "stream", "best_of", "n_predict", "temperature", "user"]
    payload = openai.requests.chat_to_input(body({"role": "user", "content": "a"}))
    payload.extras.extend(content_pb2.Extra(dialect="openai", key=key, json=b"9") for key in keys)
    written, translations = sent(payload, max_output_tokens=5)
    assert written == {"model": "m", "messages": [{"role": "user", "content": "a"}], "max_completion_tokens": 5}
    assert translations == [(f"extras[openai.{key}]", DROPPED) for key in keys]
