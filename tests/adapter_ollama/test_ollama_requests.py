"""What the adapter sends is what Ollama's own library sends for the same call, field by field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_adapter_kit.dialect import Ask, Call
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_adapter_ollama.provider.dialect import OllamaDialect
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.secret import Secret
from tests.adapter_kit.standing_adapter import saying
from tests.sdk_requests.record import PNG, SCHEMA
from tests.sdk_requests.recordings import recorded

SENT = recorded("ollama")
DIALECT = OllamaDialect()
ENDPOINT = Endpoint(name="main", provider="Ollama", base_url="http://127.0.0.1:11434", local=True, auth=Auth(), credential=Secret("key"),
                    extras=frozenset({"keep_alive", "embedding.keep_alive"}))  # fmt: skip
Part, Message = content_pb2.Part, content_pb2.Message


def text(said: str) -> content_pb2.Part:
    return Part(text=content_pb2.Text(text=said))


def extra(key: str, value: object) -> content_pb2.Extra:
    return content_pb2.Extra(dialect="ollama", key=key, json=json.dumps(value).encode())


TOOL = content_pb2.Tool(
    function=content_pb2.FunctionTool(name="get_weather", description="The weather of a city", parameters_json=json.dumps(SCHEMA))
)
CALL = content_pb2.ToolCall(id="call_1", name="get_weather", arguments_json='{"city": "Zürich"}')
RESULT = content_pb2.ToolResult(tool_call_id="call_1", parts=[text("sunny")])
CONVERSATION = [
    Message(role=content_pb2.ROLE_SYSTEM, parts=[text("Be brief.")]),
    Message(role=content_pb2.ROLE_USER, parts=[text("Weather in Zürich?")]),
    Message(
        role=content_pb2.ROLE_ASSISTANT,
        parts=[Part(reasoning=content_pb2.Reasoning(text="A tool knows.")), text("I look."), Part(tool_call=CALL)],
    ),
    Message(role=content_pb2.ROLE_TOOL, parts=[Part(tool_result=RESULT)]),
]
PICTURE = Message(role=content_pb2.ROLE_USER, parts=[text("What is it?"), Part(image=content_pb2.Media(data=PNG, mime_type="image/png"))])
SAMPLING = generate_pb2.Sampling(temperature=0.5, top_p=0.9, top_k=40, seed=7)
REASONING = generate_pb2.ReasoningOptions
SCHEMA_FORM = content_pb2.ResponseFormat(json_schema=content_pb2.JsonSchemaFormat(name="place", schema_json=json.dumps(SCHEMA)))
CHATS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "hello": ("llama3", {}),
    "streamed": ("llama3", {}),
    "options": (
        "llama3",
        {"sampling": SAMPLING, "stop": ["END"], "extras": [extra("options", {"min_p": 0.05}), extra("keep_alive", "5m")]},
    ),
    "penalties": ("llama3", {"sampling": generate_pb2.Sampling(presence_penalty=0.5, frequency_penalty=0.25)}),
    "tools": ("llama3", {"messages": CONVERSATION, "tools": [TOOL]}),
    "thinking": ("qwen3", {"reasoning": REASONING(effort="high")}),
    "no_thinking": ("qwen3", {"reasoning": REASONING(effort="none")}),
    "level": ("gpt-oss:20b", {"reasoning": REASONING(effort="high")}),
    "json": ("llama3", {"response_format": content_pb2.ResponseFormat(json_object=content_pb2.JsonObjectFormat())}),
    "schema": ("llama3", {"response_format": SCHEMA_FORM}),
    "image": ("llava", {"messages": [PICTURE]}),
    "logprobs": ("llama3", {"logprobs": generate_pb2.LogprobOptions(top=3)}),
}


def sent(call: Call) -> dict[str, Any]:
    return {"method": call.method, "path": call.path} | ({"body": json.loads(call.body)} if call.body else {})


def expected(case: str) -> dict[str, Any]:
    """As it was recorded; the library says that there are no tools where a request has none."""
    request = {key: value for key, value in SENT[case].items() if key != "headers"}
    if request.get("body", {}).get("tools") == []:
        del request["body"]["tools"]
    return request


def generated(model: str, *, stream: bool = False, limit: int = 64, **fields: Any) -> Call:
    return DIALECT.generate(Ask(endpoint=ENDPOINT, model=model, max_output_tokens=limit, stream=stream), saying(**fields))


@pytest.mark.parametrize("case", CHATS)
def test_a_chat_is_sent_as_the_library_sends_it(case: str) -> None:
    model, fields = CHATS[case]
    assert sent(generated(model, stream=case == "streamed", **fields)) == expected(case)


def test_every_recorded_call_is_compared() -> None:
    assert SENT.keys() == CHATS.keys() | {"embed", "embed_extras", "show", "tags"}


def test_embeddings_are_sent_as_the_library_sends_them() -> None:
    ask = Ask(endpoint=ENDPOINT, model="nomic")
    texts = [embed_pb2.EmbedItem(text=each) for each in ("one", "two")]
    assert sent(DIALECT.embed(ask, embed_pb2.EmbedInput(items=texts, dimensions=64))) == expected("embed")
    extras = [extra("truncate", value=False), extra("keep_alive", "1h")]
    assert sent(DIALECT.embed(ask, embed_pb2.EmbedInput(items=texts[:1], extras=extras))) == expected("embed_extras")


def test_models_are_asked_for_as_the_library_asks() -> None:
    assert sent(DIALECT.models(ENDPOINT)) == expected("tags")
    assert sent(DIALECT.describe(ENDPOINT, "llama3")) == expected("show")


def test_the_credential_is_sent_as_the_library_sends_it() -> None:
    assert ENDPOINT.signer.fixed("") == {"authorization": SENT["hello"]["headers"]["authorization"]}


@pytest.mark.parametrize(
    ("fields", "lost"),
    [
        ({"tools": [TOOL], "tool_choice": content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_REQUIRED)}, {"tool_choice"}),
        ({"tools": [TOOL], "parallel_tool_calls": False}, {"parallel_tool_calls"}),
        ({"reasoning": REASONING(effort="high")}, {"reasoning.effort"}),
        ({"reasoning": REASONING(budget_tokens=100)}, {"reasoning.budget_tokens"}),
        ({"sampling": generate_pb2.Sampling(logit_bias={"1": 2.0})}, {"sampling.logit_bias"}),
        ({"end_user": "u", "prompt_cache_key": "k", "modalities": ["audio"]}, {"end_user", "prompt_cache_key", "modalities"}),
        ({"extras": [extra("raw", value=True)]}, {"extras[ollama.raw]"}),
        ({"extras": [extra("options", {"num_predict": 9, "other": 1})]},
         {"extras[ollama.options].num_predict", "extras[ollama.options].other"}),
        ({"extras": [content_pb2.Extra(dialect="openai", key="store", json=b"true")]}, {"extras[openai.store]"}),
    ],
)  # fmt: skip
def test_what_the_dialect_does_not_have_is_reported(fields: Mapping[str, Any], lost: set[str]) -> None:
    assert {each.field for each in generated("llama3", **fields).translations} == lost


def test_an_option_that_loads_the_model_anew_needs_the_operators_word() -> None:
    fields: Mapping[str, Any] = {"extras": [extra("options", {"num_ctx": 32_768})]}
    with pytest.raises(AdapterError) as refused:
        generated("llama3", **fields)
    assert (refused.value.reason_name, refused.value.field) == (
        "EXTRA_NOT_ALLOWED",
        "input.extras[ollama.options].num_ctx",
    )
    allowed = Endpoint(
        name="main",
        provider="O",
        base_url="http://127.0.0.1:1",
        local=True,
        auth=Auth(required=False),
        extras=frozenset({"options.num_ctx"}),
    )
    call = DIALECT.generate(Ask(endpoint=allowed, model="llama3"), saying(**fields))
    assert json.loads(call.body)["options"] == {"num_ctx": 32_768}


@pytest.mark.parametrize("keep_alive", [0, -1, "5m"])
def test_how_long_a_model_stays_in_memory_needs_the_operators_word(keep_alive: object) -> None:
    shared = Endpoint(name="main", provider="O", base_url="http://127.0.0.1:1", local=True, auth=Auth(required=False))
    with pytest.raises(AdapterError) as refused:
        DIALECT.generate(Ask(endpoint=shared, model="llama3"), saying(extras=[extra("keep_alive", keep_alive)]))
    assert (refused.value.reason_name, refused.value.field) == ("EXTRA_NOT_ALLOWED", "input.extras[ollama.keep_alive]")


def test_an_option_stands_among_the_options() -> None:
    assert "options.mirostat" not in json.loads(generated("llama3", extras=[extra("options.mirostat", 2)]).body)


@pytest.mark.parametrize(
    ("mode", "name", "offered"),
    [
        (content_pb2.TOOL_CHOICE_MODE_NONE, "", []),
        (content_pb2.TOOL_CHOICE_MODE_NAMED, "two", ["two"]),
        (content_pb2.TOOL_CHOICE_MODE_AUTO, "", ["one", "two"]),
    ],
)
def test_a_tool_that_must_not_be_called_is_not_shown(mode: content_pb2.ToolChoiceMode, name: str, offered: list[str]) -> None:
    tools = [content_pb2.Tool(function=content_pb2.FunctionTool(name=each)) for each in ("one", "two")]
    body = json.loads(generated("llama3", tools=tools, tool_choice=content_pb2.ToolChoice(mode=mode, name=name)).body)
    assert [each["function"]["name"] for each in body.get("tools", [])] == offered


@pytest.mark.parametrize(
    ("part", "field"),
    [
        (Part(image=content_pb2.Media(uri="https://a.example/b.png")), "input.messages[0].parts[0].image"),
        (Part(audio=content_pb2.Media(data=b"x", mime_type="audio/wav")), "input.messages[0].parts[0].audio"),
        (Part(file=content_pb2.Media(data=b"x", mime_type="application/pdf")), "input.messages[0].parts[0].file"),
    ],
)
def test_what_an_answer_cannot_do_without_is_refused_by_its_field(part: content_pb2.Part, field: str) -> None:
    with pytest.raises(MeshError) as refused:
        generated("llama3", messages=[Message(role=content_pb2.ROLE_USER, parts=[part])])
    assert (refused.value.field, refused.value.metadata["sent"]) == (field, "false")


def test_a_result_of_an_unknown_call_goes_without_the_tools_name_and_says_so() -> None:
    call = generated("llama3", messages=[CONVERSATION[1], CONVERSATION[3]])
    assert json.loads(call.body)["messages"][1] == {"role": "tool", "content": "sunny"}
    assert [each.field for each in call.translations] == ["messages[1].parts[0].tool_result.tool_call_id"]
