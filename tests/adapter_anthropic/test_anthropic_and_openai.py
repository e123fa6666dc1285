"""One dialect asked, the other answered: what arrives, and what the report says was lost on the way."""

from typing import Any

import orjson

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects import anthropic, openai
from llm_mesh_dialects.anthropic.quirks import NEWEST, of_model
from llm_mesh_dialects.openai import OpenAIQuirks
from tests.adapter_anthropic.conftest import Adapted, attempt
from tests.adapter_anthropic.events import assembled, frames

JSON = dict[str, Any]

CHAT: JSON = {
    "model": "any",
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
                {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": ""}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "one"},
        {"role": "tool", "tool_call_id": "call_2", "content": "two"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}],
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "max_completion_tokens": 64,
    "stop": "END",
    "user": "u-1",
    "store": False,
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
}

MESSAGE: JSON = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "text", "text": "Here"},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 5, "output_tokens": 6},
}


def test_a_chat_is_asked_of_anthropic() -> None:
    body, translations = anthropic.requests.input_to_messages(openai.requests.chat_to_input(CHAT), NEWEST, model="claude", stream=True)
    assert body == {
        "model": "claude",
        "max_tokens": 64,
        "system": "Be brief.",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
                    {"type": "tool_use", "id": "call_2", "name": "g", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": [{"type": "text", "text": "one"}]},
                    {"type": "tool_result", "tool_use_id": "call_2", "content": [{"type": "text", "text": "two"}]},
                ],
            },
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}, "additionalProperties": False}}},
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u-1"},
        "stream": True,
    }
    told = {(each.field, generate_pb2.TranslationAction.Name(each.action).removeprefix("TRANSLATION_ACTION_")) for each in translations}
    assert told == {
        ("messages[0].role", "RENAMED"),
        ("extras[openai.store]", "DROPPED"),
        ("response_format.json_schema.schema_json", "APPROXIMATED"),
    }


def test_anthropics_answer_is_a_chat_completion() -> None:
    chat = openai.responses.output_to_chat(anthropic.responses.message_to_output(MESSAGE))
    message = chat["choices"][0]["message"]
    assert chat["choices"][0]["finish_reason"] == "tool_calls"
    assert message["content"] == "Here"
    assert message["reasoning_content"] == "hm"
    assert [(call["id"], call["function"]["name"], orjson.loads(call["function"]["arguments"])) for call in message["tool_calls"]] == [
        ("toolu_1", "f", {"a": 1}),
        ("toolu_2", "g", {}),
    ]
    assert chat["usage"]["prompt_tokens"] == 12
    assert chat["usage"]["prompt_tokens_details"]["cached_tokens"] == 4
    assert chat["usage"]["total_tokens"] == 18


def test_anthropics_stream_is_a_stream_of_chunks() -> None:
    reader, writer = anthropic.streams.EventReader(), openai.streams.ChunkWriter(include_usage=True)
    data = b"".join(writer.write(typed) for event in _streamed(MESSAGE) for typed in reader.feed(event))
    data += b"".join(writer.write(typed) for typed in reader.finish()) + writer.close()
    chunks = [orjson.loads(line[6:]) for line in data.split(b"\n\n")[:-2]]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == "Here"
    arguments: dict[int, str] = {}
    for call in [call for delta in deltas for call in delta.get("tool_calls", ())]:
        arguments[call["index"]] = arguments.get(call["index"], "") + call["function"].get("arguments", "")
    assert {index: orjson.loads(json) for index, json in arguments.items()} == {0: {"a": 1}, 1: {}}
    assert [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]][-1] == "tool_calls"
    assert chunks[-1]["usage"]["completion_tokens"] == 6


def test_messages_are_asked_of_openai() -> None:
    body: JSON = {
        "model": "any",
        "max_tokens": 64,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": MESSAGE["content"]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "one"},
                    {"type": "tool_result", "tool_use_id": "toolu_2", "content": "two", "is_error": True},
                    {"type": "text", "text": "and?"},
                ],
            },
        ],
        "tool_choice": {"type": "any"},
        "tools": [{"name": "f", "input_schema": {"type": "object"}}, {"type": "web_search_20260318", "name": "web_search"}],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "metadata": {"user_id": "u-1"},
        "top_k": 3,
    }
    chat, translations = openai.requests.input_to_chat(
        anthropic.requests.messages_to_input(body), OpenAIQuirks(), model="gpt", stream=False
    )
    assert [message["role"] for message in chat["messages"]] == ["system", "user", "assistant", "tool", "tool", "user"]
    assert chat["messages"][2]["tool_calls"][0]["id"] == chat["messages"][3]["tool_call_id"] == "toolu_1"
    assert chat["tool_choice"] == "required"
    assert [tool["function"]["name"] for tool in chat["tools"]] == ["f"]
    assert chat["user"] == "u-1"
    told = {each.field for each in translations}
    assert told == {
        "messages[0].parts[0].cache_hint",
        "messages[2].parts[0].reasoning",
        "messages[3].parts[1].tool_result.is_error",
        "tools[1].opaque",
        "reasoning.budget_tokens",
        "sampling.top_k",
    }


def test_openais_answer_is_a_message() -> None:
    chat = openai.responses.output_to_chat(anthropic.responses.message_to_output(MESSAGE))
    message = anthropic.responses.output_to_message(openai.responses.chat_to_output(chat), id="msg_2", model="alias")
    assert (message["id"], message["model"], message["stop_reason"]) == ("msg_2", "alias", "tool_use")
    assert [block["type"] for block in message["content"]] == ["thinking", "text", "tool_use", "tool_use"]
    assert message["content"][2:] == MESSAGE["content"][2:]
    assert (
        message["usage"]["input_tokens"] + message["usage"]["cache_read_input_tokens"] + message["usage"]["cache_creation_input_tokens"]
        == 12
    )


def test_openais_stream_is_a_stream_of_events() -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
    deltas: list[JSON] = [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "hm"},
        {"content": "He"},
        {"content": "re"},
        {"tool_calls": [call]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
        {"tool_calls": [{**call, "index": 1, "id": "call_2", "function": {"name": "g", "arguments": "{}"}}]},
    ]
    chunks: list[JSON] = [{"id": "c", "model": "gpt", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    chunks.append(
        {"id": "c", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 2}}}
    )
    reader, writer = openai.streams.ChunkReader(), anthropic.streams.EventWriter(id="msg_1", model="alias")
    data = b"".join(writer.write(typed) for chunk in chunks for typed in reader.feed(chunk))
    data += b"".join(writer.write(typed) for typed in reader.finish()) + writer.close({"cost": 1})
    message = assembled(frames(data))
    assert [message["id"], message["model"], message["stop_reason"]] == ["msg_1", "alias", "tool_use"]
    assert message["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "text", "text": "Here"},
        {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "call_2", "name": "g", "input": {}},
    ]
    assert message["usage"]["input_tokens"] == 7
    assert message["usage"]["cache_read_input_tokens"] == 2
    assert message["usage"]["output_tokens"] == 4
    assert message["usage"]["cost"] == 1


async def test_a_chat_is_answered_by_the_simulators_anthropic_dialect(adapter: Adapted) -> None:
    chat = {
        "model": "any",
        "messages": [{"role": "developer", "content": "x"}, {"role": "user", "content": "Say hello"}],
        "temperature": 0.3,
        "seed": 7,
    }
    request = openai.requests.chat_to_input(chat)
    whole = await adapter.generate(request, attempt())
    answer = openai.responses.output_to_chat(whole.output, model="alias")
    assert answer["choices"][0]["message"]["content"] == "Say hello"
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert {each.field for each in whole.output.translations} == {"messages[0].role", "sampling.seed"}
    events, _ = await adapter.stream(request, attempt())
    writer = openai.streams.ChunkWriter(include_usage=True)
    chunks = b"".join(writer.write(event) for event in events) + writer.close()
    assert chunks.endswith(b"data: [DONE]\n\n")
    assert b'" hello"' in chunks


def test_what_only_some_models_take_is_reported_for_the_others() -> None:
    chat = {"model": "any", "messages": [{"role": "user", "content": "x"}], "temperature": 0.2, "top_p": 0.9}
    request = openai.requests.chat_to_input(chat)
    lost = {
        model: [each.field for each in anthropic.requests.input_to_messages(request, of_model(model), model=model, stream=False)[1]]
        for model in ("claude-3-haiku-20240307", "claude-haiku-4-5", "claude-opus-5")
    }
    assert lost == {
        "claude-3-haiku-20240307": [],
        "claude-haiku-4-5": ["sampling.top_p"],
        "claude-opus-5": ["sampling.temperature", "sampling.top_p"],
    }


def _streamed(message: JSON) -> list[JSON]:
    """A message as a provider tells it, its inputs in pieces."""
    events: list[JSON] = [{"type": "message_start", "message": message | {"content": [], "stop_reason": None}}, {"type": "ping"}]
    for index, block in enumerate(message["content"]):
        begun: JSON = {key: value if key in {"type", "id", "name"} else {} if key == "input" else "" for key, value in block.items()}
        events.append({"type": "content_block_start", "index": index, "content_block": begun})
        if block["type"] == "thinking":
            events.append(_delta(index, "thinking_delta", "thinking", block["thinking"]))
            events.append(_delta(index, "signature_delta", "signature", block["signature"]))
        elif block["type"] == "text":
            events += [_delta(index, "text_delta", "text", character) for character in block["text"]]
        elif block["input"]:
            events += [_delta(index, "input_json_delta", "partial_json", each) for each in ("", '{"a"', ":1}")]
        events.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    return [*events, {"type": "message_delta", "delta": delta, "usage": message["usage"]}, {"type": "message_stop"}]


def _delta(index: int, kind: str, key: str, value: str) -> JSON:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, key: value}}
