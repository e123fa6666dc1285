"""Our requests and those of google-genai, for the same call, field by field: its client is pointed at a recorder."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_adapter_gemini.provider.dialect import GeminiDialect
from llm_mesh_adapter_kit.dialect import Ask, Call
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_dialects.proofs import ProofOrigin
from tests.adapter_gemini.conftest import adapted, saying, says, text_of

GOOGLE = Endpoint(name="google", provider="G", base_url="https://generativelanguage.googleapis.com/v1")
VERTEX = Endpoint(name="vertex", provider="V", base_url="https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global")
DIALECT = GeminiDialect({"google": "gemini", "vertex": "vertex"})
MODEL = "gemini-3-flash-preview"
USER, ANSWER, TOOL = content_pb2.ROLE_USER, content_pb2.ROLE_ASSISTANT, content_pb2.ROLE_TOOL
SCHEMA = {"type": "object", "properties": {"a_key": {"type": "integer"}}, "required": ["a_key"]}
PIXELS = b"\x89PNG\xff\xfe\xfb"
_FREE = frozenset({"args", "response", "parametersJsonSchema", "responseJsonSchema"})
"""Keys below which names are the caller's own."""


class Recorder(httpx2.MockTransport):
    """Answers with nothing, and keeps what was asked."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []
        super().__init__(self._answer)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if "alt=sse" in str(request.url):
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=b"data: {}\r\n\r\n")
        return httpx2.Response(200, json={})


def camel(value: Any, *, free: bool = False) -> Any:
    """Names as the wire documents them: the library writes some of them with underscores, which servers take, too; bytes as base64."""
    if isinstance(value, list):
        return [camel(each, free=free) for each in value]
    if not isinstance(value, dict):
        return value
    if free:
        return {key: camel(inner, free=True) for key, inner in value.items()}
    named = {re.sub(r"_([a-z])", lambda found: found[1].upper(), key): inner for key, inner in value.items()}
    return {
        key: standard(inner) if key in {"data", "thoughtSignature"} else camel(inner, free=key in _FREE) for key, inner in named.items()
    }


def standard(text: str) -> str:
    return base64.b64encode(base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_"))).decode()


def recorded(endpoint: Endpoint, call: Callable[[Any], Any]) -> httpx2.Request:
    """What the official client sends."""
    recorder = Recorder()
    options = types.HttpOptions(httpx_client=httpx2.Client(transport=recorder))
    if endpoint is VERTEX:
        made = genai.Client(vertexai=True, project="p", location="global", credentials=Credentials(token="t"), http_options=options)  # type: ignore[no-untyped-call]
    else:
        made = genai.Client(api_key="k", http_options=options)
    answer = call(made.models)
    if isinstance(answer, Iterator):
        list(answer)
    (request,) = recorder.requests
    return request


def compare(endpoint: Endpoint, ours: Call, theirs: httpx2.Request) -> None:
    assert endpoint.url(ours.path) == str(theirs.url)
    assert ours.method == theirs.method
    body = camel(json.loads(theirs.content))
    if body.get("generationConfig") == {}:  # which says nothing
        del body["generationConfig"]
    assert camel(json.loads(ours.body)) == body


def asked(endpoint: Endpoint, request: generate_pb2.GenerateInput, *, stream: bool = False) -> Call:
    call = DIALECT.generate(Ask(endpoint, MODEL, 0, stream), request)
    assert not call.translations
    return call


CALL = content_pb2.ToolCall(id="c1", name="f", arguments_json='{"a_key": 1}')
SIGNATURE = base64.b64encode(b"\xff\xfb\xfe proof").decode()


def history(endpoint: Endpoint) -> list[content_pb2.Message]:
    signature = ProofOrigin("gemini", b"", endpoint.name, endpoint.base_url, "", MODEL).marked(f"n:{SIGNATURE}")
    image = content_pb2.Part(image=content_pb2.Media(data=PIXELS, mime_type="image/png"))
    linked = content_pb2.Part(file=content_pb2.Media(uri="https://example.com/a.pdf", mime_type="application/pdf"))
    answered = content_pb2.ToolResult(tool_call_id="c1", parts=[text_of('{"result": 3}')])
    return [
        says(content_pb2.ROLE_SYSTEM, text_of("Be brief.")),
        says(USER, text_of("Hello"), image, linked),
        says(ANSWER, content_pb2.Part(reasoning=content_pb2.Reasoning(signature=signature)), content_pb2.Part(tool_call=CALL)),
        says(TOOL, content_pb2.Part(tool_result=answered)),
    ]


CONTENTS = [
    types.Content(
        role="user",
        parts=[
            types.Part(text="Hello"),
            types.Part.from_bytes(data=PIXELS, mime_type="image/png"),
            types.Part.from_uri(file_uri="https://example.com/a.pdf", mime_type="application/pdf"),
        ],
    ),
    types.Content(
        role="model",
        parts=[
            types.Part(
                function_call=types.FunctionCall(id="c1", name="f", args={"a_key": 1}), thought_signature=base64.b64decode(SIGNATURE)
            )
        ],
    ),
    types.Content(role="user", parts=[types.Part(function_response=types.FunctionResponse(id="c1", name="f", response={"result": 3}))]),
]
FUNCTION = types.FunctionDeclaration(name="f", description="does it", parameters_json_schema=SCHEMA)
CONFIG = {
    "system_instruction": "Be brief.",
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 3,
    "candidate_count": 2,
    "max_output_tokens": 99,
    "stop_sequences": ["x", "y"],
    "seed": 7,
    "presence_penalty": 0.25,
    "frequency_penalty": -0.25,
    "response_logprobs": True,
    "logprobs": 2,
    "thinking_config": {"thinking_level": "low", "include_thoughts": True},
    "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    "tools": [types.Tool(function_declarations=[FUNCTION])],
    "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
}
OURS: dict[str, Any] = {
    "sampling": generate_pb2.Sampling(temperature=0.5, top_p=0.9, top_k=3, seed=7, presence_penalty=0.25, frequency_penalty=-0.25),
    "candidate_count": 2,
    "max_output_tokens": 99,
    "stop": ["x", "y"],
    "logprobs": generate_pb2.LogprobOptions(top=2),
    "reasoning": generate_pb2.ReasoningOptions(effort="low"),
    "tools": [content_pb2.Tool(function=content_pb2.FunctionTool(name="f", description="does it", parameters_json=json.dumps(SCHEMA)))],
    "tool_choice": content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_NAMED, name="f"),
    "extras": [
        content_pb2.Extra(
            dialect="gemini", key="safetySettings", json=b'[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}]'
        )
    ],
}


@pytest.mark.parametrize("endpoint", [GOOGLE, VERTEX], ids=["google", "vertex"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_request_with_everything_is_the_official_clients(endpoint: Endpoint, *, stream: bool) -> None:
    request = generate_pb2.GenerateInput(messages=history(endpoint), **OURS)

    def call(models: Any) -> Any:
        method = models.generate_content_stream if stream else models.generate_content
        return method(model=MODEL, contents=CONTENTS, config=CONFIG)

    compare(endpoint, asked(endpoint, request, stream=stream), recorded(endpoint, call))


FORMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "schema": (
        {"response_format": content_pb2.ResponseFormat(json_schema=content_pb2.JsonSchemaFormat(name="s", schema_json=json.dumps(SCHEMA)))},
        {"response_mime_type": "application/json", "response_json_schema": SCHEMA},
    ),
    "object": (
        {"response_format": content_pb2.ResponseFormat(json_object=content_pb2.JsonObjectFormat())},
        {"response_mime_type": "application/json"},
    ),
    "sound": ({"modalities": ["text", "audio"]}, {"response_modalities": ["TEXT", "AUDIO"]}),
    "plain": ({}, {}),
    **{
        mode: (
            {"tools": OURS["tools"], "tool_choice": content_pb2.ToolChoice(mode=value)},
            {"tools": CONFIG["tools"], "tool_config": {"function_calling_config": {"mode": mode}}},
        )
        for mode, value in (
            ("AUTO", content_pb2.TOOL_CHOICE_MODE_AUTO),
            ("ANY", content_pb2.TOOL_CHOICE_MODE_REQUIRED),
            ("NONE", content_pb2.TOOL_CHOICE_MODE_NONE),
        )
    },
    "VALIDATED": (
        {"tools": OURS["tools"], "tool_choice": content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_AUTO, allowed=["f"])},
        {"tools": CONFIG["tools"], "tool_config": {"function_calling_config": {"mode": "VALIDATED", "allowed_function_names": ["f"]}}},
    ),
}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_each_form_of_a_request_is_the_official_clients(name: str) -> None:
    ours, theirs = FORMS[name]
    call = asked(GOOGLE, saying("Hello", **ours))
    compare(GOOGLE, call, recorded(GOOGLE, lambda models: models.generate_content(model=MODEL, contents="Hello", config=theirs or None)))


@pytest.mark.parametrize("endpoint", [GOOGLE, VERTEX], ids=["google", "vertex"])
def test_a_count_is_the_official_clients(endpoint: Endpoint) -> None:
    call = DIALECT.count(Ask(endpoint, MODEL), saying("Hello"))
    compare(endpoint, call, recorded(endpoint, lambda models: models.count_tokens(model=MODEL, contents="Hello")))


@pytest.mark.parametrize(
    ("endpoint", "model", "texts"),
    [
        (GOOGLE, "gemini-embedding-001", ["one", "two"]),
        (VERTEX, "gemini-embedding-001", ["one", "two"]),
        (VERTEX, "gemini-embedding-2", ["one"]),
        (VERTEX, "text-embedding-005", ["one", "two"]),
    ],
)
def test_vectors_are_asked_for_as_the_official_client_does(endpoint: Endpoint, model: str, texts: list[str]) -> None:
    extras = [
        content_pb2.Extra(dialect="gemini", key=key, json=json.dumps(value).encode())
        for key, value in (("taskType", "QUERY"), ("title", "t"))
    ]
    request = embed_pb2.EmbedInput(items=[embed_pb2.EmbedItem(text=text) for text in texts], dimensions=8, extras=extras)
    config = {"output_dimensionality": 8, "task_type": "QUERY", "title": "t"}
    call = DIALECT.embed(Ask(endpoint, model), request)
    compare(endpoint, call, recorded(endpoint, lambda models: models.embed_content(model=model, contents=texts, config=config)))


async def test_the_official_client_reads_what_the_simulator_says() -> None:
    """The simulator is a fair judge: the library takes its answers, streams and function calls for Google's."""
    async with adapted() as adapter:

        def turns() -> tuple[str, int, str]:
            client = genai.Client(api_key="AIza-a-key-of-tests", http_options=types.HttpOptions(base_url=f"http://{adapter.address}"))
            chunks = list(client.models.generate_content_stream(model="sim-echo", contents="Say hello"))
            text = "".join(chunk.text or "" for chunk in chunks)
            usage = chunks[-1].usage_metadata
            config = types.GenerateContentConfig(
                tools=[types.Tool(function_declarations=[FUNCTION])],
                automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            )
            chat = client.chats.create(model="sim-tools", config=config)
            calls = chat.send_message("call f now, use the tool").function_calls or []
            answer = chat.send_message(types.Part.from_function_response(name=calls[0].name or "", response={"output": "done"}))
            client.close()
            return text, (usage.candidates_token_count or 0) if usage else 0, answer.text or ""

        text, tokens, answer = await asyncio.to_thread(turns)
    assert (text, tokens) == ("Say hello", 2)
    assert answer == "done"
