"""What the adapter sends is what Cohere's own library sends for the same call, field by field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_adapter_cohere.provider.dialect import CohereDialect
from llm_mesh_adapter_kit.dialect import Ask, Call
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.secret import Secret
from tests.adapter_kit.standing_adapter import saying
from tests.sdk_requests.record import PNG, SCHEMA
from tests.sdk_requests.recordings import recorded

SENT = recorded("cohere")
DIALECT = CohereDialect()
ENDPOINT = Endpoint(name="main", provider="Cohere", base_url="https://api.cohere.com", auth=Auth(), credential=Secret("key"))
Part, Message, Tool = content_pb2.Part, content_pb2.Message, content_pb2.Tool
Choice, Reasoning, Sampling = content_pb2.ToolChoice, generate_pb2.ReasoningOptions, generate_pb2.Sampling
USER, ASSISTANT = content_pb2.ROLE_USER, content_pb2.ROLE_ASSISTANT


def text(words: str) -> content_pb2.Part:
    return Part(text=content_pb2.Text(text=words))


def extra(key: str, value: object) -> content_pb2.Extra:
    return content_pb2.Extra(dialect="cohere", key=key, json=json.dumps(value).encode())


def tool(*, strict: bool | None = None) -> content_pb2.Tool:
    made = content_pb2.FunctionTool(name="get_weather", description="The weather of a city", parameters_json=json.dumps(SCHEMA))
    if strict is not None:
        made.strict = strict
    return Tool(function=made)


CALL = content_pb2.ToolCall(id="c1", name="get_weather", arguments_json='{"city":"Zürich"}')
CONVERSATION = [
    Message(role=content_pb2.ROLE_SYSTEM, parts=[text("Be brief.")]),
    Message(role=USER, parts=[text("Weather in Zürich?")]),
    Message(role=ASSISTANT, parts=[text("I look."), Part(tool_call=CALL)]),
    Message(role=content_pb2.ROLE_TOOL, parts=[Part(tool_result=content_pb2.ToolResult(tool_call_id="c1", parts=[text("sunny")]))]),
]
THOUGHT = [
    Message(role=USER, parts=[text("Think.")]),
    Message(role=ASSISTANT, parts=[Part(reasoning=content_pb2.Reasoning(text="Hm.")), text("Done.")]),
    Message(role=USER, parts=[text("Again.")]),
]
PICTURE = Message(role=USER, parts=[text("What is it?"), Part(image=content_pb2.Media(data=PNG, mime_type="image/png", detail="low"))])
JSON_FORM = content_pb2.ResponseFormat(json_object=content_pb2.JsonObjectFormat())
SCHEMA_FORM = content_pb2.ResponseFormat(json_schema=content_pb2.JsonSchemaFormat(name="place", schema_json=json.dumps(SCHEMA)))
DOCUMENTS = [{"id": "d1", "data": {"text": "Snow is white."}}, "Grass is green."]
SAMPLED = Sampling(temperature=0.5, top_p=0.9, top_k=40, seed=7, frequency_penalty=0.25, presence_penalty=0.5)
CHATS: Mapping[str, Mapping[str, Any]] = {
    "hello": {},
    "streamed": {},
    "sampling": {"sampling": SAMPLED, "stop": ["END"], "logprobs": generate_pb2.LogprobOptions()},
    "tools": {
        "messages": CONVERSATION,
        "tools": [tool(strict=True)],
        "tool_choice": Choice(mode=content_pb2.TOOL_CHOICE_MODE_REQUIRED),
    },
    "no_tools": {"tools": [tool()], "tool_choice": Choice(mode=content_pb2.TOOL_CHOICE_MODE_NONE)},
    "json": {"response_format": JSON_FORM},
    "schema": {"response_format": SCHEMA_FORM},
    "thinking": {"reasoning": Reasoning(budget_tokens=32)},
    "no_thinking": {"reasoning": Reasoning(effort="none")},
    "thought": {"messages": THOUGHT},
    "image": {"messages": [PICTURE]},
    "documents": {"extras": [extra("documents", DOCUMENTS), extra("citation_options", {"mode": "FAST"})]},
    "safety": {"extras": [extra("safety_mode", "STRICT"), extra("priority", 3)]},
}


def sent(call: Call) -> dict[str, Any]:
    return {"method": call.method, "path": call.path} | ({"body": json.loads(call.body)} if call.body else {})


def expected(case: str) -> dict[str, Any]:
    return {key: value for key, value in SENT[case].items() if key != "headers"}


def generated(*, stream: bool = False, **fields: Any) -> Call:
    return DIALECT.generate(Ask(endpoint=ENDPOINT, model="command-a", max_output_tokens=64, stream=stream), saying(**fields))


@pytest.mark.parametrize("case", CHATS)
def test_a_chat_is_sent_as_the_library_sends_it(case: str) -> None:
    assert sent(generated(stream=case == "streamed", **CHATS[case])) == expected(case)


def test_embeddings_and_models_are_sent_as_the_library_sends_them() -> None:
    ask = Ask(endpoint=ENDPOINT, model="embed-v4.0")
    texts = [embed_pb2.EmbedItem(text=each) for each in ("one", "two")]
    assert sent(DIALECT.embed(ask, embed_pb2.EmbedInput(items=texts, dimensions=256))) == expected("embed")
    extras = [extra("input_type", "search_query"), extra("truncate", "END")]
    call = DIALECT.embed(ask, embed_pb2.EmbedInput(items=texts[:1], extras=extras))
    assert (sent(call), call.translations) == (expected("embed_query"), [])
    assert sent(DIALECT.models(ENDPOINT)) == expected("models")
    assert ENDPOINT.signer.fixed("") == {"authorization": SENT["hello"]["headers"]["authorization"]}


def test_vectors_are_for_documents_unless_the_request_or_the_operator_says_otherwise() -> None:
    ask, request = Ask(endpoint=ENDPOINT, model="embed-v4.0"), embed_pb2.EmbedInput(items=[embed_pb2.EmbedItem(text="one")])
    for dialect, input_type in ((DIALECT, "search_document"), (CohereDialect("clustering"), "clustering")):
        call = dialect.embed(ask, request)
        assert json.loads(call.body)["input_type"] == input_type
        assert [(each.field, input_type in each.note) for each in call.translations] == [("extras[cohere.input_type]", True)]


@pytest.mark.parametrize(
    ("fields", "lost"),
    [
        ({"sampling": Sampling(top_p=1, presence_penalty=-1)}, {"sampling.top_p", "sampling.presence_penalty"}),
        ({"stop": ["1", "2", "3", "4", "5", "6"]}, {"stop"}),
        ({"tools": [tool(strict=True), tool(strict=False)]}, {"tools"}),
        ({"tools": [tool()], "parallel_tool_calls": False}, {"parallel_tool_calls"}),
        ({"reasoning": Reasoning(effort="high")}, {"reasoning.effort"}),
        ({"logprobs": generate_pb2.LogprobOptions(top=3)}, {"logprobs.top"}),
        ({"end_user": "u", "prompt_cache_key": "k", "modalities": ["audio"]}, {"end_user", "prompt_cache_key", "modalities"}),
        ({"extras": [extra("raw_prompting", value=True), extra("max_tokens", 9_999)]},
         {"extras[cohere.raw_prompting]", "extras[cohere.max_tokens]"}),
        ({"extras": [content_pb2.Extra(dialect="openai", key="store", json=b"true")]}, {"extras[openai.store]"}),
    ],
)  # fmt: skip
def test_what_the_dialect_does_not_have_is_reported(fields: Mapping[str, Any], lost: set[str]) -> None:
    assert {each.field for each in generated(**fields).translations} == lost


def test_a_named_tool_is_a_required_call_of_the_only_tool_that_is_shown() -> None:
    other = Tool(function=content_pb2.FunctionTool(name="other"))
    choice = Choice(mode=content_pb2.TOOL_CHOICE_MODE_NAMED, name="other")
    call = generated(tools=[tool(), other], tool_choice=choice)
    body = json.loads(call.body)
    assert (body["tool_choice"], [each["function"]["name"] for each in body["tools"]], call.translations) == ("REQUIRED", ["other"], [])


def test_a_file_of_text_becomes_a_document_that_can_be_cited() -> None:
    file = Part(file=content_pb2.Media(data="Schnee ist weiß.".encode(), mime_type="text/plain", filename="snow.txt"))
    call = generated(messages=[Message(role=USER, parts=[text("Why?"), file])])
    body = json.loads(call.body)
    assert body["documents"] == [{"data": {"text": "Schnee ist weiß.", "title": "snow.txt"}}]
    assert (body["messages"], [each.field for each in call.translations]) == (
        [{"role": "user", "content": "Why?"}],
        ["messages[0].parts[1].file"],
    )


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"messages": [Message(role=USER, parts=[Part(audio=content_pb2.Media(data=b"x"))])]},
         "messages[0].parts[0].audio", "INVALID_FIELD"),
        ({"messages": [Message(role=USER, parts=[Part(image=content_pb2.Media(uri="http://10.0.0.1/a.png"))])]},
         "messages[0].parts[0].image.uri", "MEDIA_ADDRESS_NOT_ALLOWED"),
        ({"messages": [Message(role=ASSISTANT, parts=[Part(tool_call=content_pb2.ToolCall(name="t"))])]},
         "messages[0].parts[0].tool_call.id", "INVALID_FIELD"),
        ({"extras": [extra("safety_mode", "OFF")]}, "extras[cohere.safety_mode]", "EXTRA_NOT_ALLOWED"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_its_field_and_nothing_is_sent(fields: Mapping[str, Any], field: str, reason: str) -> None:
    with pytest.raises(MeshError) as refused:
        generated(**fields)
    assert (refused.value.reason_name, refused.value.field, refused.value.metadata["sent"]) == (reason, f"input.{field}", "false")


def test_more_texts_than_the_provider_takes_are_refused_before_anything_is_sent() -> None:
    items = [embed_pb2.EmbedItem(text="x")] * 97
    with pytest.raises(MeshError) as refused:
        DIALECT.embed(Ask(endpoint=ENDPOINT, model="embed-v4.0"), embed_pb2.EmbedInput(items=items))
    assert (refused.value.field, isinstance(refused.value, AdapterError)) == ("input.items", False)
