"""What is wrong with a request is named as its client wrote it: every documented bound fails once through each door."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from llm_mesh.catalogue.v1 import catalogue_pb2, catalogue_pb2_grpc
from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from tests.proofs.stand import Stand, model, provider, stand

OURS = re.compile(r"generate\.|\binput\.|embed\.|parts\[|\bparts\b|_json\b|tool_result\.|max_output_tokens|candidate_count|options\.")
"""Words of the typed contract."""
DEEP = json.loads('{"a":' * 120 + "1" + "}" * 120)
LONG = "x" * 600
TEXT = {"type": "text", "text": "hi"}
NO_PICTURE = {"type": "image_url", "image_url": {"url": ""}}
WEATHER = {"name": "weather", "parameters": {"type": "object"}}


def function(**changed: Any) -> dict[str, Any]:
    return {"type": "function", "function": WEATHER | changed}


def said(*parts: Any, role: str = "user", **more: Any) -> list[dict[str, Any]]:
    return [{"role": role, "content": list(parts)} | more]


OPENAI: dict[str, tuple[dict[str, Any], str]] = {
    "model": ({"model": "a b"}, "model"),
    "no-messages": ({"messages": []}, "messages"),
    "name": ({"messages": said(TEXT, name=LONG)}, "messages[0].name"),
    "image": ({"messages": said(TEXT, NO_PICTURE)}, "messages[0].content[1].image_url"),
    "later-message": ({"messages": [*said(TEXT, role="system"), *said(TEXT, NO_PICTURE)]}, "messages[1].content[1].image_url"),
    "tool-name": ({"tools": [function(name="a b")]}, "tools[0].function.name"),
    "tool-depth": ({"tools": [function(parameters=DEEP)]}, "tools[0].function.parameters"),
    "tools": ({"tools": [function()] * 257}, "tools"),
    "schema-depth": (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": DEEP}}},
        "response_format.json_schema.schema",
    ),
    "n": ({"n": 1000}, "n"),
    "limit": ({"max_completion_tokens": 0}, "max_completion_tokens"),
    "stops": ({"stop": ["x"] * 17}, "stop"),
    "stop": ({"stop": [LONG]}, "stop[0]"),
    "top-logprobs": ({"logprobs": True, "top_logprobs": 40}, "top_logprobs"),
    "user": ({"user": LONG}, "user"),
    "effort": ({"reasoning_effort": "frantic"}, "reasoning_effort"),
    "temperature": ({"temperature": 3}, "temperature"),
    "top-p": ({"top_p": 2}, "top_p"),
    "frequency": ({"frequency_penalty": 3}, "frequency_penalty"),
    "presence": ({"presence_penalty": -3}, "presence_penalty"),
    "bias": ({"logit_bias": {"1": 101}}, "logit_bias[1]"),
    "unknown-depth": ({"metadata": {"a": DEEP}}, "metadata"),
    "call-id": (
        {
            "messages": [
                {
                    "role": "assistant",
                    "content": "x",
                    "tool_calls": [{"id": "", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                }
            ]
        },
        "messages[0].tool_calls[0].id",
    ),
    "call-depth": (
        {
            "messages": [
                {
                    "role": "assistant",
                    "content": "x",
                    "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": json.dumps(DEEP)}}],
                }
            ]
        },
        "messages[0].tool_calls[0].function.arguments",
    ),
    "result-id": ({"messages": [{"role": "tool", "content": "x", "tool_call_id": ""}]}, "messages[0].tool_call_id"),
    "tags": ({"llm_mesh": {"tags": {"A": "b"}}}, "llm_mesh.tags"),
}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "1"}
NO_URL = {"type": "image", "source": {"type": "url", "url": ""}}
NO_TYPE = {"type": "image", "source": {"type": "base64", "media_type": "", "data": "aGk="}}
ANTHROPIC: dict[str, tuple[dict[str, Any], str]] = {
    "model": ({"model": "a b"}, "model"),
    "image": ({"messages": said(TEXT, NO_TYPE)}, "messages[0].content[1].source"),
    "image-behind-a-system-prompt": ({"system": "s", "messages": said(TEXT, NO_URL)}, "messages[0].content[1].source"),
    "image-behind-results": (
        {"system": [TEXT], "messages": [*said(TEXT), *said(TEXT, role="assistant"), *said(RESULT, RESULT, TEXT, NO_URL)]},
        "messages[2].content[3].source",
    ),
    "image-in-a-result": ({"messages": said(TEXT, RESULT | {"content": [TEXT, NO_URL]})}, "messages[0].content[1].content[1].source"),
    "tool-name": ({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}, "tools[0].name"),
    "tool-depth": ({"tools": [{"name": "f", "input_schema": DEEP}]}, "tools[0].input_schema"),
    "limit": ({"max_tokens": 0}, "max_tokens"),
    "stop": ({"stop_sequences": [LONG]}, "stop_sequences[0]"),
    "user": ({"metadata": {"user_id": LONG}}, "metadata.user_id"),
    "temperature": ({"temperature": 3}, "temperature"),
    "top-k": ({"top_k": -1}, "top_k"),
    "call-depth": (
        {"messages": [*said(TEXT), *said(TEXT, {"type": "tool_use", "id": "t", "name": "f", "input": DEEP}, role="assistant")]},
        "messages[1].content[1].input",
    ),
    "result-id": ({"messages": said(RESULT | {"tool_use_id": ""})}, "messages[0].content[0].tool_use_id"),
    "budget": ({"thinking": {"type": "enabled", "budget_tokens": -1}}, "thinking.budget_tokens"),
}


SAYS: dict[str, Any] = {"role": "user", "parts": [{"text": "x"}]}
GOOGLE: dict[str, tuple[dict[str, Any], str]] = {
    "image": ({"contents": [{"parts": [{"text": "x"}, {"inlineData": {"data": "aGk="}}]}]}, "contents[0].parts[1].inlineData.mimeType"),
    "image-behind-an-instruction": (
        {
            "system_instruction": {"parts": [{"text": "s"}]},
            "contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": "!"}}]}],
        },
        "contents[0].parts[0].inline_data.data",
    ),
    "tool-name": (
        {"tools": [{"googleSearch": {}, "functionDeclarations": [{"name": "f"}, {"name": "a b"}]}]},
        "tools[0].functionDeclarations[1].name",
    ),
    "tool-depth": (
        {"tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": DEEP}]}]},
        "tools[0].functionDeclarations[0].param",
    ),
    "limit": ({"generationConfig": {"maxOutputTokens": 0}}, "generationConfig.maxOutputTokens"),
    "stop": ({"generation_config": {"stop_sequences": [LONG]}}, "generation_config.stop_sequences[0]"),
    "temperature": ({"generationConfig": {"temperature": 3}}, "generationConfig.temperature"),
    "logprobs": ({"generationConfig": {"responseLogprobs": True, "logprobs": 50}}, "generationConfig.logprobs"),
    "call-depth": (
        {"contents": [SAYS, {"role": "model", "parts": [{"text": "x"}, {"functionCall": {"name": "f", "args": DEEP}}]}]},
        "contents[1].parts[1].functionCall.args",
    ),
}


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A mesh with a model that takes pictures, and a prompt."""
    folder: Path = tmp_path_factory.mktemp("field-names")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        seeing = model("plain", "sim-echo")
        seeing.capabilities.extend(["image_input", "reasoning"])
        made.put_models([seeing])
        version = catalogue_pb2.PromptVersion()
        version.messages.add(role=content_pb2.ROLE_SYSTEM, template="Be brief.")
        prompts: Any = catalogue_pb2_grpc.CatalogueServiceStub(made.channel)
        wanted = catalogue_pb2.WantedPrompt(name="domains/default/prompts/brief", version=version)
        prompts.ApplyPrompts(catalogue_pb2.ApplyPromptsRequest(parent="domains/default", prompts=[wanted]), metadata=made.admin)
        yield made


def refused(mesh: Stand, path: str, changed: dict[str, Any], place: str) -> None:
    body: dict[str, Any] = {"model": "plain", "messages": said(TEXT)}
    if path == "/v1/messages":
        body["max_tokens"] = 10
    reply = mesh.ask(body | changed, path=path)
    assert reply.status == 400, reply
    error = reply.error
    assert str(error["param"]).startswith(place), error
    assert not OURS.search(f"{error['param']} {error['message']}"), error


@pytest.mark.parametrize("name", OPENAI)
def test_openais_clients_read_their_own_names(mesh: Stand, name: str) -> None:
    refused(mesh, "/v1/chat/completions", *OPENAI[name])


@pytest.mark.parametrize("name", ANTHROPIC)
def test_anthropics_clients_read_their_own_names(mesh: Stand, name: str) -> None:
    refused(mesh, "/v1/messages", *ANTHROPIC[name])


@pytest.mark.parametrize("name", GOOGLE)
def test_googles_clients_read_their_own_names(mesh: Stand, name: str) -> None:
    changed, place = GOOGLE[name]
    reply = mesh.ask({"contents": [SAYS]} | changed, path="/v1/models/plain:generateContent")
    assert reply.status == 400, reply
    (told,) = [violation["field"] for each in reply.error["details"] for violation in each.get("fieldViolations", ())]
    assert told.startswith(place), reply.error
    assert told in reply.error["message"]


def test_a_rendered_prompt_does_not_move_the_callers_messages(mesh: Stand) -> None:
    changed, place = OPENAI["call-depth"]  # only policy refuses it, which sees the prompt's message before the caller's
    refused(mesh, "/v1/chat/completions", changed | {"llm_mesh": {"prompt": {"name": "brief"}}}, place)


@pytest.mark.parametrize("prompt", [False, True], ids=["bare", "prompt"])
def test_over_grpc_the_field_is_the_requests(mesh: Stand, prompt: bool) -> None:  # noqa: FBT001
    picture = content_pb2.Part(image=content_pb2.Media(uri=""))
    message = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[picture])
    request = gateway_pb2.GenerateRequest(input=generate_pb2.GenerateInput(model="plain", messages=[message]))
    if prompt:
        request.options.prompt.name = "brief"
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    with pytest.raises(grpc.RpcError) as raised:
        stub.Generate(request, metadata=mesh.user, timeout=20)
    error: Any = raised.value
    assert error.details().startswith("input.messages[0].parts[0].image.uri: "), error.details()
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    bad = error_details_pb2.BadRequest()
    assert any(detail.Unpack(bad) for detail in status.details)
    assert [violation.field for violation in bad.field_violations] == ["input.messages[0].parts[0].image.uri"]
