"""Requests of the Responses wire: field by field what the official SDK sends for the same call, and what of a payload stays here."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai
import pytest

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_adapter_kit.dialect import Ask, Call
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_openai.provider.dialect import OpenAIDialect
from llm_mesh_adapter_openai.provider.rows import ROWS
from llm_mesh_dialects.proofs import ProofOrigin
from llm_mesh_runtime.secret import Secret

ENDPOINT = Endpoint(name="openai", provider="OpenAI", base_url="https://api.openai.com/v1", credential=Secret("sk-test"))
DIALECT = OpenAIDialect({row.name: row for row in ROWS})
MODEL = "gpt-5.5-pro"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
PARAMETERS = json.dumps(SCHEMA)
PIXELS = b"\x89PNG"
SYSTEM, DEVELOPER, USER, ASSISTANT, TOOL = (
    content_pb2.ROLE_SYSTEM,
    content_pb2.ROLE_DEVELOPER,
    content_pb2.ROLE_USER,
    content_pb2.ROLE_ASSISTANT,
    content_pb2.ROLE_TOOL,
)
Part, Message = content_pb2.Part, content_pb2.Message
ORIGIN = ProofOrigin("responses", b"", "openai", "https://api.openai.com/v1", "", MODEL)
ITEM = 'r:{"id":"rs_1","encrypted_content":"e"}'


def text(words: str) -> content_pb2.Part:
    return Part(text=content_pb2.Text(text=words))


def message(role: content_pb2.Role, *parts: content_pb2.Part | str) -> content_pb2.Message:
    return Message(role=role, parts=[text(each) if isinstance(each, str) else each for each in parts])


def extra(key: str, value: object, dialect: str = "responses") -> content_pb2.Extra:
    return content_pb2.Extra(dialect=dialect, key=key, json=json.dumps(value).encode())


def asked(*messages: content_pb2.Message, stream: bool = False, endpoint: Endpoint = ENDPOINT, model: str = MODEL, **more: Any) -> Call:
    fields: dict[str, Any] = {"source_dialect": "responses", "messages": messages or [message(USER, "Hello")], **more}
    return DIALECT.generate(Ask(endpoint, model, 0, stream), generate_pb2.GenerateInput(**fields))


def sent_by_sdk(**request: Any) -> httpx2.Request:
    """What the official client sends."""
    requests: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=b"")

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as client:
        openai.OpenAI(api_key="sk-test", http_client=client).responses.create(model=MODEL, **request)
    return requests[0]


PROOF = ORIGIN.marked('r:{"id":"rs_1","encrypted_content":"e==","summary":[4,4]}')
CALL = content_pb2.ToolCall(id="call_1", name="get_weather", arguments_json='{"city":"Bern"}')
HISTORY = [
    message(SYSTEM, "Be brief."),
    message(DEVELOPER, "Metric units."),
    message(USER, "Hello", Part(image=content_pb2.Media(data=PIXELS, mime_type="image/png", detail="low"))),
    message(
        ASSISTANT,
        Part(reasoning=content_pb2.Reasoning(text="One.\n\nTwo.", signature=PROOF)),
        Part(text=content_pb2.Text(text="Let me look."), extras=[extra("item", {"id": "msg_1", "phase": "commentary"})]),
        Part(tool_call=CALL, extras=[extra("id", "fc_1")]),
    ),
    message(TOOL, Part(tool_result=content_pb2.ToolResult(tool_call_id="call_1", parts=[text("sunny")]))),
    message(ASSISTANT, Part(opaque=content_pb2.OpaquePart(
        dialect="responses", type="compaction", item=True, json=b'{"type":"compaction","id":"cmp_1","encrypted_content":"c=="}'))),
    message(USER, "And tomorrow?", Part(file=content_pb2.Media(data=b"%PDF", mime_type="application/pdf", filename="a.pdf"))),
]  # fmt: skip
ITEMS: list[Any] = [
    {"role": "developer", "content": "Metric units."},
    {"role": "user", "content": [
        {"type": "input_text", "text": "Hello"},
        {"type": "input_image", "detail": "low", "image_url": "data:image/png;base64,iVBORw=="},
    ]},
    {"type": "reasoning", "id": "rs_1", "encrypted_content": "e==", "summary": [
        {"type": "summary_text", "text": "One."}, {"type": "summary_text", "text": "Two."}]},
    {"type": "message", "role": "assistant", "status": "completed", "id": "msg_1", "phase": "commentary", "content": [
        {"type": "output_text", "text": "Let me look."}]},
    {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": '{"city":"Bern"}', "id": "fc_1"},
    {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
    {"type": "compaction", "id": "cmp_1", "encrypted_content": "c=="},
    {"role": "user", "content": [
        {"type": "input_text", "text": "And tomorrow?"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,JVBERg==", "filename": "a.pdf"},
    ]},
]  # fmt: skip
FUNCTION = content_pb2.Tool(
    function=content_pb2.FunctionTool(name="get_weather", description="Now.", parameters_json=PARAMETERS, strict=True)
)
SDK_FUNCTION = {"type": "function", "name": "get_weather", "description": "Now.", "parameters": SCHEMA, "strict": True}
ALWAYS = {"store": False, "include": ["reasoning.encrypted_content"]}


@pytest.mark.parametrize("stream", [False, True])
def test_a_whole_conversation_is_sent_as_the_sdk_sends_it(*, stream: bool) -> None:
    custom = content_pb2.Tool(opaque=content_pb2.OpaquePart(dialect="responses", type="custom", json=b'{"type":"custom","name":"run"}'))
    form = content_pb2.JsonSchemaFormat(name="city", description="A city.", schema_json=PARAMETERS, strict=True)
    ours = asked(
        *HISTORY,
        stream=stream,
        tools=[FUNCTION, custom],
        tool_choice=content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_NAMED, name="get_weather"),
        parallel_tool_calls=False,
        response_format=content_pb2.ResponseFormat(json_schema=form),
        reasoning=generate_pb2.ReasoningOptions(effort="high"),
        sampling=generate_pb2.Sampling(temperature=0.5, top_p=0.25),
        max_output_tokens=100,
        prompt_cache_key="k",
        end_user="u-1",
        logprobs=generate_pb2.LogprobOptions(top=2),
        extras=[extra("metadata", {"a": "b"}), extra("reasoning", {"summary": "auto"}), extra("text", {"verbosity": "low"})],
    )
    theirs = sent_by_sdk(
        input=ITEMS,
        instructions="Be brief.",
        **({"stream": True} if stream else {}),
        tools=[SDK_FUNCTION, {"type": "custom", "name": "run"}],
        tool_choice={"type": "function", "name": "get_weather"},
        parallel_tool_calls=False,
        text={
            "format": {"type": "json_schema", "name": "city", "description": "A city.", "schema": SCHEMA, "strict": True},
            "verbosity": "low",
        },
        reasoning={"effort": "high", "summary": "auto"},
        temperature=0.5,
        top_p=0.25,
        max_output_tokens=100,
        prompt_cache_key="k",
        safety_identifier="u-1",
        top_logprobs=2,
        metadata={"a": "b"},
        store=False,
        include=["reasoning.encrypted_content", "message.output_text.logprobs"],
    )
    assert not ours.translations
    assert ENDPOINT.url(ours.path) == str(theirs.url)
    assert ours.method == theirs.method
    assert json.loads(ours.body) == json.loads(theirs.content)
    assert ENDPOINT.signer.fixed("") == {"authorization": theirs.headers["authorization"]}


@pytest.mark.parametrize(
    ("fields", "sdk"),
    [
        ({"tools": [FUNCTION], "tool_choice": content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_REQUIRED)},
         {"tools": [SDK_FUNCTION], "tool_choice": "required"}),
        ({"tools": [FUNCTION],
          "tool_choice": content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_AUTO, allowed=["get_weather"])},
         {"tools": [SDK_FUNCTION], "tool_choice": {
             "type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "get_weather"}]}}),
        ({"response_format": content_pb2.ResponseFormat(json_object=content_pb2.JsonObjectFormat())},
         {"text": {"format": {"type": "json_object"}}}),
    ],
)  # fmt: skip
def test_tools_and_forms_are_sent_as_the_sdk_sends_them(fields: dict[str, Any], sdk: dict[str, Any]) -> None:
    ours = asked(**fields)
    theirs = sent_by_sdk(input=[{"role": "user", "content": "Hello"}], **ALWAYS, **sdk)
    assert json.loads(ours.body) == json.loads(theirs.content)


def test_a_request_of_chat_completions_says_that_its_tools_are_not_strict_and_keeps_what_both_dialects_know() -> None:
    loose = content_pb2.Tool(function=content_pb2.FunctionTool(name="f"))
    ours = asked(
        source_dialect="openai",
        tools=[loose],
        extras=[extra("metadata", {"a": "b"}, "openai"), extra("verbosity", "low", "openai"), extra("min_p", 1, "openai")],
    )
    body = json.loads(ours.body)
    assert body["tools"] == [{"type": "function", "name": "f", "parameters": None, "strict": False}]
    assert (body["metadata"], body["text"]) == ({"a": "b"}, {"verbosity": "low"})
    assert [each.field for each in ours.translations] == ["extras[openai.min_p]"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"stop": ["x"]}, "stop"),
        ({"candidate_count": 2}, "candidate_count"),
        ({"sampling": generate_pb2.Sampling(seed=1)}, "sampling.seed"),
        ({"sampling": generate_pb2.Sampling(top_k=1)}, "sampling.top_k"),
        ({"sampling": generate_pb2.Sampling(presence_penalty=1)}, "sampling.presence_penalty"),
        ({"sampling": generate_pb2.Sampling(frequency_penalty=1)}, "sampling.frequency_penalty"),
        ({"sampling": generate_pb2.Sampling(logit_bias={"1": 1})}, "sampling.logit_bias"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"end_user": "u" * 65}, "end_user"),
        ({"reasoning": generate_pb2.ReasoningOptions(budget_tokens=2048)}, "reasoning.budget_tokens"),
        ({"tool_choice": content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_REQUIRED)}, "tool_choice"),
        ({"extras": [extra("background", value=True)]}, "extras[responses.background]"),
    ],
)
def test_what_the_dialect_cannot_say_is_reported(fields: dict[str, Any], field: str) -> None:
    ours = asked(source_dialect="anthropic", **fields)
    assert [each.field for each in ours.translations] == [field]
    assert json.loads(ours.body)["store"] is False
    assert "background" not in json.loads(ours.body)


@pytest.mark.parametrize(
    ("signature", "why"),
    [
        (f"responses:{'0' * 12}:{ITEM}", "another model, key or route"),
        (f"responses:{'0' * 32}:{ITEM}", "another model, key or route"),
        (ProofOrigin("responses", b"another tenant's", "openai", "https://api.openai.com/v1", "", MODEL).marked(ITEM), "another domain"),
        (ORIGIN.marked(ITEM).replace('"e"', '"f"'), "another domain"),
        ("gemini:000000000000:n:xyz", "another dialect"),
        ("an anthropic proof", "another dialect"),
        ("", "its own proof"),
    ],
)
def test_reasoning_of_elsewhere_is_stripped_with_a_note(signature: str, why: str) -> None:
    thought = Part(reasoning=content_pb2.Reasoning(text="Hm.", signature=signature))
    ours = asked(message(USER, "Hello"), message(ASSISTANT, thought, "Hi"), message(USER, "And?"))
    assert [(each.field, why in each.note) for each in ours.translations] == [("messages[1].parts[0].reasoning", True)]
    assert all(item.get("type") != "reasoning" for item in json.loads(ours.body)["input"])


@pytest.mark.parametrize(
    ("row", "model", "path"),
    [
        ("openai", "gpt-5.5", "/chat/completions"),
        ("openai", "gpt-5.5-pro", "/responses"),
        ("openai", "gpt-5-pro-2026-01-01", "/responses"),
        ("openai", "gpt-5.3-codex", "/responses"),
        ("openai", "o3-deep-research", "/responses"),
        ("bedrock-mantle-openai", "openai.gpt-5.5-codex", "/responses"),
        ("simulator-responses", "sim-echo", "/responses"),
        ("simulator", "sim-echo", "/chat/completions"),
    ],
)
def test_the_row_says_which_models_are_asked_by_responses(row: str, model: str, path: str) -> None:
    endpoint = Endpoint(name=row, provider="x", base_url="https://x.example/v1")
    assert asked(endpoint=endpoint, model=model).path == path


@pytest.mark.parametrize("key", ["previous_response_id", "conversation", "prompt", "context_management", "store"])
def test_what_costs_or_keeps_more_than_was_admitted_is_refused(key: str) -> None:
    with pytest.raises(AdapterError, match=key):
        asked(extras=[extra(key, "x")])


def test_nothing_is_kept_where_nothing_may_be() -> None:
    open_endpoint = Endpoint(name="openai", provider="x", base_url="https://x.example/v1", extras=frozenset({"store"}))
    request = generate_pb2.GenerateInput(messages=[message(USER, "Hello")], extras=[extra("store", value=True)])
    stored = DIALECT.generate(Ask(open_endpoint, MODEL), request)
    assert json.loads(stored.body)["store"] is True
    kept = DIALECT.generate(Ask(open_endpoint, MODEL, zero_retention=True), request)
    assert json.loads(kept.body)["store"] is False
    assert [each.field for each in kept.translations] == ["extras[responses.store]"]
