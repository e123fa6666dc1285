"""What becomes of requests that were written for other models: for each loss there is a report, and for nothing else."""

from typing import Any

import pytest

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.inference.v1.content_pb2 import Message, Part, Text
from llm_mesh_dialects.anthropic import requests
from llm_mesh_dialects.anthropic.quirks import NEWEST, OPEN, AnthropicQuirks, of_model
from llm_mesh_dialects.errors import DialectError

SYSTEM, DEVELOPER, USER = content_pb2.ROLE_SYSTEM, content_pb2.ROLE_DEVELOPER, content_pb2.ROLE_USER
ASSISTANT, TOOL = content_pb2.ROLE_ASSISTANT, content_pb2.ROLE_TOOL
OPUS_5, SONNET_46, SONNET_45, OPUS_45, SONNET_4 = map(
    of_model,
    ["claude-opus-5", "claude-sonnet-4-6", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-opus-4-5", "claude-sonnet-4-20250514"],
)


def said(role: content_pb2.Role, *parts: str | Part) -> Message:
    return Message(role=role, parts=[Part(text=Text(text=each)) if isinstance(each, str) else each for each in parts])


def written(quirks: AnthropicQuirks = NEWEST, limit: int = 4096, **fields: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The body, and the report: what happened to each field."""
    fields.setdefault("messages", [said(USER, "hi")])
    request = generate_pb2.GenerateInput(source_dialect="openai", **fields)
    body, translations = requests.input_to_messages(request, quirks, model="m", stream=False, max_output_tokens=limit)
    actions = {1: "dropped", 2: "approximated", 3: "renamed"}
    return body, {each.field: actions[each.action] for each in translations}


def test_instructions_that_open_the_conversation_are_the_system_prompt() -> None:
    body, report = written(messages=[said(SYSTEM, "a"), said(DEVELOPER, "b"), said(USER, "c")])
    assert body["system"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert body["messages"] == [{"role": "user", "content": "c"}]
    assert report == {"messages[1].role": "renamed"}


def test_a_later_instruction_stays_where_the_model_takes_it_and_moves_where_it_does_not() -> None:
    talk = [said(USER, "a"), said(SYSTEM, "now"), said(ASSISTANT, "b"), said(USER, "c")]
    body, report = written(OPUS_5, messages=talk)
    assert [turn["role"] for turn in body["messages"]] == ["user", "system", "assistant", "user"]
    assert not report
    body, report = written(SONNET_45, messages=talk)
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert body["system"] == "now"
    assert report == {"messages[1].role": "approximated"}
    for rest in ([], [said(USER, "c")]):  # not after an answer
        body, report = written(OPUS_5, messages=[said(USER, "a"), said(ASSISTANT, "b"), said(SYSTEM, "now"), *rest])
        assert body["system"] == "now"
        assert report == {"messages[2].role": "approximated"}


def test_results_of_tools_and_what_the_user_says_next_are_one_turn() -> None:
    call = Part(tool_call=content_pb2.ToolCall(id="call_1", name="f", arguments_json='{"a":1}'))
    result = Part(tool_result=content_pb2.ToolResult(tool_call_id="call_1", is_error=True, parts=[Part(text=Text(text="no"))]))
    body, report = written(
        messages=[said(USER, "q"), said(ASSISTANT, "", call), said(TOOL, result), said(TOOL, result), said(USER, "and?")]
    )
    block = {"type": "tool_result", "tool_use_id": "call_1", "content": [{"type": "text", "text": "no"}], "is_error": True}
    assert body["messages"][1]["content"] == [{"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}}]
    assert body["messages"][2] == {"role": "user", "content": [block, block, {"type": "text", "text": "and?"}]}
    assert not report


def test_ids_of_other_providers_fit_the_alphabet_and_stay_pairs() -> None:
    call = Part(tool_call=content_pb2.ToolCall(id="functions.f:0", name="f"))
    result = Part(tool_result=content_pb2.ToolResult(tool_call_id="functions.f:0"))
    body, report = written(messages=[said(USER, "q"), said(ASSISTANT, call), said(TOOL, result)])
    assert body["messages"][1]["content"][0]["id"] == body["messages"][2]["content"][0]["tool_use_id"] == "functions_f_0"
    assert set(report.values()) == {"renamed"}


def test_arguments_that_are_no_object_are_kept_inside_of_one() -> None:
    call = Part(tool_call=content_pb2.ToolCall(id="1", name="f", arguments_json='{"a":'))
    body, report = written(messages=[said(USER, "q"), said(ASSISTANT, call)])
    assert body["messages"][1]["content"][0]["input"] == {"arguments": '{"a":'}
    assert report == {"messages[1].parts[0].tool_call.arguments_json": "approximated"}


def test_a_call_without_an_id_is_refused_with_its_place() -> None:
    with pytest.raises(DialectError) as caught:
        written(messages=[said(USER, "q"), said(ASSISTANT, Part(tool_call=content_pb2.ToolCall(name="f")))])
    assert caught.value.field == "messages[1].parts[0].tool_call.id"


def test_reasoning_goes_back_only_with_its_proof() -> None:
    foreign = Part(reasoning=content_pb2.Reasoning(text="hm"))
    own = Part(reasoning=content_pb2.Reasoning(text="", signature="abc"))
    hidden = Part(reasoning=content_pb2.Reasoning(redacted=b"x+/="))
    body, report = written(messages=[said(USER, "q"), said(ASSISTANT, foreign, own, hidden, "a")])
    assert [block["type"] for block in body["messages"][1]["content"]] == ["thinking", "redacted_thinking", "text"]
    assert body["messages"][1]["content"][:2] == [
        {"type": "thinking", "thinking": "", "signature": "abc"},
        {"type": "redacted_thinking", "data": "x+/="},
    ]
    assert report == {"messages[1].parts[0].reasoning": "dropped"}


def test_media_find_their_source_or_are_reported() -> None:
    media = content_pb2.Media
    body, report = written(
        messages=[
            said(
                USER,
                Part(image=media(data=b"i", mime_type="image/png", detail="low")),
                Part(image=media(uri="https://example.com/i.png")),
                Part(file=media(data=b"p", mime_type="application/pdf", filename="p.pdf")),
                Part(file=media(data="ü".encode(), mime_type="text/csv")),
                Part(file=media(data=b"i", mime_type="image/gif")),
                Part(file=media(data=b"z", mime_type="application/zip")),
                Part(audio=media(data=b"s", mime_type="audio/wav")),
            )
        ]
    )
    blocks = body["messages"][0]["content"]
    assert [block["type"] for block in blocks] == ["image", "image", "document", "document", "image"]
    assert blocks[1]["source"] == {"type": "url", "url": "https://example.com/i.png"}
    assert blocks[2]["title"] == "p.pdf"
    assert blocks[3]["source"] == {"type": "text", "media_type": "text/plain", "data": "ü"}
    where = "messages[0].parts"
    assert report == {
        f"{where}[0].image.detail": "dropped",
        f"{where}[3].file.mime_type": "approximated",
        f"{where}[5].file": "dropped",
        f"{where}[6].audio": "dropped",
    }


def test_a_cache_hint_has_one_of_two_durations() -> None:
    part = Part(text=Text(text="x"), cache_hint=content_pb2.CacheHint())
    assert written(messages=[said(USER, part)])[0]["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}
    part.cache_hint.ttl_seconds = 3600
    body, report = written(messages=[said(USER, part)])
    assert body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert not report
    part.cache_hint.ttl_seconds = 60
    body, report = written(messages=[said(USER, part)])
    assert body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "5m"}
    assert report == {"messages[0].parts[0].cache_hint.ttl_seconds": "approximated"}


@pytest.mark.parametrize(
    ("quirks", "given", "sent", "report"),
    [
        (OPEN, {"temperature": 0.5, "top_p": 0.5, "top_k": 3}, {"temperature": 0.5, "top_p": 0.5, "top_k": 3}, {}),
        (OPEN, {"temperature": 1.5}, {"temperature": 1.0}, {"sampling.temperature": "approximated"}),
        (SONNET_4, {"temperature": 0.0, "top_p": 0.5}, {"temperature": 0.0, "top_p": 0.5}, {}),
        (SONNET_45, {"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5}, {"sampling.top_p": "dropped"}),
        (SONNET_45, {"top_p": 0.9, "top_k": 3}, {"top_p": 0.9, "top_k": 3}, {}),
        (OPUS_5, {"temperature": 0.5, "top_k": 3}, {}, {"sampling.temperature": "dropped", "sampling.top_k": "dropped"}),
        (OPUS_5, {"temperature": 1.0, "top_p": 1.0}, {}, {}),
        (OPEN, {"top_k": -1, "frequency_penalty": 0.0, "presence_penalty": 0.0}, {}, {}),
        (
            OPEN,
            {"frequency_penalty": 0.1, "presence_penalty": 1.0},
            {},
            {"sampling.frequency_penalty": "dropped", "sampling.presence_penalty": "dropped"},
        ),
        (OPEN, {"seed": 0}, {}, {"sampling.seed": "dropped"}),
        (OPEN, {"logit_bias": {"5": 1.0}}, {}, {"sampling.logit_bias": "dropped"}),
    ],
)
def test_sampling_is_sent_where_the_model_takes_it(quirks: AnthropicQuirks, given: Any, sent: Any, report: Any) -> None:
    body, told = written(quirks, sampling=generate_pb2.Sampling(**given))
    assert {key: body[key] for key in ("temperature", "top_p", "top_k") if key in body} == sent
    assert told == report


@pytest.mark.parametrize(
    ("quirks", "given", "thinking", "effort", "report"),
    [
        (OPUS_5, {"effort": "high"}, {"type": "adaptive"}, "high", {}),
        (OPUS_5, {"effort": "minimal"}, {"type": "adaptive"}, "low", {"reasoning.effort": "approximated"}),
        (OPUS_5, {"effort": "none"}, {"type": "disabled"}, None, {}),
        (of_model("claude-fable-5"), {"effort": "none"}, None, None, {"reasoning.effort": "dropped"}),
        (OPUS_5, {"budget_tokens": 2000}, {"type": "adaptive"}, None, {"reasoning.budget_tokens": "approximated"}),
        (SONNET_46, {"effort": "xhigh"}, {"type": "adaptive"}, "high", {"reasoning.effort": "approximated"}),
        (SONNET_46, {"budget_tokens": 2000}, {"type": "enabled", "budget_tokens": 2000}, None, {}),
        (OPUS_45, {"effort": "low"}, {"type": "enabled", "budget_tokens": 2048}, "low", {"reasoning.effort": "approximated"}),
        (SONNET_45, {"effort": "high"}, {"type": "enabled", "budget_tokens": 3072}, None, {"reasoning.effort": "approximated"}),
        (SONNET_45, {"budget_tokens": 5}, {"type": "enabled", "budget_tokens": 1024}, None, {"reasoning.budget_tokens": "approximated"}),
        (SONNET_45, {"budget_tokens": 9999}, {"type": "enabled", "budget_tokens": 3072}, None, {"reasoning.budget_tokens": "approximated"}),
        (of_model("claude-3-5-haiku-latest"), {"effort": "low"}, None, None, {"reasoning.effort": "dropped"}),
        (of_model("claude-3-5-haiku-latest"), {"budget_tokens": 2000}, None, None, {"reasoning.budget_tokens": "dropped"}),
    ],
)
def test_thinking_is_asked_for_in_the_models_own_way(quirks: AnthropicQuirks, given: Any, thinking: Any, effort: Any, report: Any) -> None:
    body, told = written(quirks, reasoning=generate_pb2.ReasoningOptions(**given))
    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == effort
    assert told == report


def test_thinking_gives_way_to_short_limits_and_forced_tools() -> None:
    body, report = written(SONNET_45, limit=500, reasoning=generate_pb2.ReasoningOptions(budget_tokens=2000))
    assert "thinking" not in body
    assert report == {"reasoning.budget_tokens": "dropped"}
    tools = [content_pb2.Tool(function=content_pb2.FunctionTool(name="f"))]
    forced = content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_REQUIRED)
    body, _ = written(OPUS_5, reasoning=generate_pb2.ReasoningOptions(effort="low"), tools=tools, tool_choice=forced)
    assert "thinking" not in body
    reasoning, sampling = generate_pb2.ReasoningOptions(effort="low"), generate_pb2.Sampling(temperature=0.2)
    body, report = written(SONNET_46, reasoning=reasoning, sampling=sampling)
    assert "temperature" not in body
    assert report == {"sampling.temperature": "dropped"}


def test_the_choice_of_tools_carries_whether_several_may_be_called() -> None:
    tools = [content_pb2.Tool(function=content_pb2.FunctionTool(name="f", parameters_json='{"properties":{}}', strict=True))]
    body, report = written(tools=tools, parallel_tool_calls=False)
    closed = {"type": "object", "properties": {}, "additionalProperties": False}
    assert body["tools"] == [{"name": "f", "input_schema": closed, "strict": True}]
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    named = content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_NAMED, name="f")
    assert written(tools=tools, tool_choice=named)[0]["tool_choice"] == {"type": "tool", "name": "f"}
    nothing = content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_NONE)
    assert written(tools=tools, tool_choice=nothing, parallel_tool_calls=True)[0]["tool_choice"] == {"type": "none"}
    assert "tool_choice" not in written(tool_choice=nothing, parallel_tool_calls=False)[0]
    assert report == {"tools[0].function.parameters_json": "approximated"}
    assert written(SONNET_4, tools=tools)[1] == {"tools[0].function.strict": "dropped"}


def test_tools_of_other_dialects_are_dropped_with_a_report() -> None:
    foreign = content_pb2.Tool(opaque=content_pb2.OpaquePart(dialect="openai", type="custom", json=b"{}"))
    body, report = written(tools=[foreign])
    assert "tools" not in body
    assert report == {"tools[0].opaque": "dropped"}


def test_a_schema_binds_the_answer_or_is_told_to_the_model() -> None:
    schema = content_pb2.ResponseFormat(json_schema=content_pb2.JsonSchemaFormat(name="n", schema_json='{"type":"object"}', strict=True))
    body, report = written(OPUS_5, response_format=schema)
    closed = {"type": "object", "properties": {}, "additionalProperties": False}
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": closed}}
    assert report == {"response_format.json_schema.schema_json": "approximated"}
    body, report = written(SONNET_4, response_format=schema)
    assert '{"type":"object"}' in body["system"]
    assert report == {"response_format.json_schema": "approximated"}
    body, report = written(OPUS_5, response_format=content_pb2.ResponseFormat(json_object=content_pb2.JsonObjectFormat()))
    assert "JSON" in body["system"]
    assert report == {"response_format.json_object": "approximated"}


def test_what_the_dialect_has_no_place_for_is_reported() -> None:
    _, report = written(
        candidate_count=2,
        logprobs=generate_pb2.LogprobOptions(top=1),
        prompt_cache_key="k",
        modalities=["text", "audio"],
        stop=["END", " \n"],
        extras=[content_pb2.Extra(dialect="openai", key="store", json=b"true")],
        messages=[Message(role=USER, name="ana", parts=[Part(text=Text(text="hi"))])],
    )
    assert report == {
        "candidate_count": "dropped",
        "logprobs": "dropped",
        "prompt_cache_key": "dropped",
        "modalities": "dropped",
        "stop": "dropped",
        "extras[openai.store]": "dropped",
        "messages[0].name": "dropped",
    }
    assert not written(candidate_count=1, modalities=["text"], stop=["END"], end_user="u")[1]


@pytest.mark.parametrize("key", ["max_tokens", "stream", "model", "system", "temperature", "messages"])
def test_an_extra_cannot_say_what_a_typed_field_says_even_where_that_is_unset(key: str) -> None:
    body, _ = written()
    extras = [
        content_pb2.Extra(dialect="anthropic", key=key, json=b"9"),
        content_pb2.Extra(dialect="anthropic", key="cache_control", json=b"2"),
    ]
    given, report = written(extras=extras)
    assert given == body | {"cache_control": 2}
    assert report == {f"extras[{key}]": "dropped"}


def test_an_extra_completes_an_object_and_does_not_replace_what_it_says() -> None:
    extra = content_pb2.Extra(dialect="anthropic", key="metadata", json=b'{"user_id":"eve","team":"t"}')
    body, report = written(end_user="ana", extras=[extra])
    assert body["metadata"] == {"user_id": "ana", "team": "t"}
    assert report == {"extras[anthropic.metadata].user_id": "dropped"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"model": "m", "messages": []}, "max_tokens"),
        ({"model": "m", "max_tokens": 0, "messages": []}, "max_tokens"),
        ({"max_tokens": 1, "messages": []}, "model"),
        ({"model": "m", "max_tokens": 1}, "messages"),
        ({"model": "m", "max_tokens": 1, "messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"model": "m", "max_tokens": 1, "messages": [{"role": "user"}]}, "messages[0].content"),
        ({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        (
            {
                "model": "m",
                "max_tokens": 1,
                "messages": [
                    {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "i", "data": "%"}}]}
                ],
            },
            "messages[0].content[0].source.data",
        ),
        (
            {
                "model": "m",
                "max_tokens": 1,
                "messages": [
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": 1}]}]}
                ],
            },
            "messages[0].content[0].content[0].text",
        ),
        ({"model": "m", "max_tokens": 1, "messages": [], "tools": [{"name": "f"}]}, "tools[0].input_schema"),
        ({"model": "m", "max_tokens": 1, "messages": [], "tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"model": "m", "max_tokens": 1, "messages": [], "system": [{"type": "text"}]}, "system[0].text"),
        ({"model": "m", "max_tokens": 1, "messages": [], "temperature": "hot"}, "temperature"),
        (
            {"model": "m", "max_tokens": 1, "messages": [], "output_config": {"format": {"type": "json_schema"}}},
            "output_config.format.schema",
        ),
    ],
)
def test_a_wrong_body_is_told_with_the_path_to_the_fault(body: dict[str, Any], field: str) -> None:
    with pytest.raises(DialectError) as caught:
        requests.messages_to_input(body)
    assert caught.value.field == field


def test_a_count_needs_no_limit() -> None:
    request = requests.messages_to_input({"model": "m", "messages": [{"role": "user", "content": "x"}]}, count=True)
    assert requests.input_to_count(request, NEWEST, model="m") == {"model": "m", "messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize("model", ["claude-opus-4-8", "anthropic/claude-sonnet-5", "claude-opus-9-9"])
def test_new_models_are_taken_for_the_newest(model: str) -> None:
    assert of_model(model) == NEWEST


def test_models_of_other_makers_are_sent_what_was_said() -> None:
    assert of_model("deepseek-chat") == OPEN
    assert of_model("sim-echo") == OPEN
