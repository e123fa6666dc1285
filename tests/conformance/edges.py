"""The edges of the mesh: how each is asked, and all fields that its requests can have. A new edge is one more entry of `EDGES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from google.protobuf import json_format
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects import anthropic, openai
from tests.conformance.asking import ContractEdge, Edge, GoogleEdge, HttpEdge
from tests.conformance.contract_shape import ContractShape
from tests.conformance.google_shape import complete_google, google_shape, read_google
from tests.conformance.samples import ANTHROPIC, CALL, CONTRACT, OPENAI, SCHEMA, TOOL
from tests.conformance.sdk_shapes import SdkShapes
from tests.conformance.shapes import Shape, Variant, variants

Body = dict[str, Any]


@dataclass(frozen=True)
class DeclaredEdge:
    """One edge."""

    edge: Edge
    title: str
    judge: str
    """What says which fields there are."""
    shape: Callable[[], Shape]
    typed: Callable[[Body], Body]
    """A body, as the JSON of the contract's input."""
    complete: Callable[[Body, Body], Body]
    """A body with all that it needs around what the other body says, so that a request makes sense."""

    @property
    def name(self) -> str:
        """Of the edge."""
        return self.edge.name

    def variants(self) -> Iterator[Variant]:
        """A request for each value of each field."""
        for each in filter(lambda each: each.path, variants(self.shape(), "", lambda value: value)):
            yield Variant(each.path, each.value, self.complete(each.body, each.body), self.complete(each.plain, each.body))


def _openai_shape() -> Shape:
    shape = SdkShapes(OPENAI).of(CompletionCreateParamsNonStreaming, "")
    assert shape is not None
    return shape


_MODELLED = "text|image|document|thinking|redacted_thinking|tool_use|tool_result"
_WHOLE = (
    r"citations\[\]<\w+>$",
    r"caller<\w+>$",
    rf"content<list>\[\]<(?!(?:{_MODELLED})>)\w+>$",
    r"source<content>$",
    r"tools\[\]<(?!ToolParam>)\w+>$",
)
"""Blocks and tools of Anthropic's that the payload does not model: they travel as they came, whatever is in them."""


def _anthropic_shape() -> Shape:
    shape = SdkShapes(ANTHROPIC, _WHOLE).of(MessageCreateParamsNonStreaming, "")
    assert shape is not None
    return shape


def _contract_shape() -> Shape:
    descriptor: Any = generate_pb2.GenerateInput.DESCRIPTOR
    shape = ContractShape(CONTRACT).of(descriptor)
    assert shape is not None
    return shape


def _typed_openai(body: Body) -> Body:
    return _json(openai.requests.chat_to_input({**body, "model": "replaced"}))


def _typed_anthropic(body: Body) -> Body:
    return _json(anthropic.requests.messages_to_input({**body, "model": "replaced"}))


def _typed_google(body: Body) -> Body:
    return _json(read_google(body))


def _json(made: generate_pb2.GenerateInput) -> Body:
    said: Body = json_format.MessageToDict(made, preserving_proto_field_name=True)
    return said


_ASKS: Body = {"role": "user", "content": "sample"}
_FUNCTION: Mapping[str, Any] = {"name": TOOL, "parameters": SCHEMA}


def _complete_openai(body: Body, probe: Body) -> Body:
    made = {**body, "messages": _conversation(body.get("messages") or [_ASKS])}
    if probe.keys() & {"tool_choice", "parallel_tool_calls"} and "tools" not in made:
        tools: list[Body] = [{"type": "function", "function": {**_FUNCTION, "name": name}} for name in (TOOL, "get_time")]
        made["tools"] = [*tools, {"type": "custom", "custom": {"name": "shout"}}] if "custom" in str(probe.get("tool_choice")) else tools
    if "function_call" in probe and "functions" not in made:
        made["functions"] = [_FUNCTION]
    if "top_logprobs" in probe:
        made["logprobs"] = True
    return made


def _conversation(messages: list[Body]) -> list[Body]:
    """With a question before and after what an assistant says, and a call before its result."""
    (said,) = messages
    if said["role"] == "user":
        return [said]
    if said["role"] in {"system", "developer"}:
        return [said, _ASKS]
    if said["role"] == "function":
        return [_ASKS, {"role": "assistant", "function_call": {"name": TOOL, "arguments": "{}"}}, said]
    if said["role"] == "tool":
        called = {"id": CALL, "type": "function", "function": {"name": TOOL, "arguments": "{}"}}
        return [_ASKS, {"role": "assistant", "tool_calls": [called]}, said]
    results = [{"role": "tool", "tool_call_id": each["id"], "content": "sunny"} for each in said.get("tool_calls", ())]
    return [_ASKS, said, *results, _ASKS]


def _complete_anthropic(body: Body, probe: Body) -> Body:
    (said,) = body["messages"]
    made = {**body, "messages": [said]}
    blocks = said["content"] if isinstance(said["content"], list) else []
    kinds = {each["type"] for each in blocks}
    use = {"type": "tool_use", "id": CALL, "name": TOOL, "input": {}}
    if said["role"] == "assistant":
        results = [{"type": "tool_result", "tool_use_id": CALL, "content": "sunny"}] if "tool_use" in kinds else []
        made["messages"] = [_ASKS, said, {"role": "user", "content": [*results, {"type": "text", "text": "sample"}]}]
    elif "tool_result" in kinds:
        made["messages"] = [_ASKS, {"role": "assistant", "content": [use]}, said]
    elif said["role"] == "system":
        made["messages"] = [_ASKS, said]
    if "tool_choice" in probe and "tools" not in made:
        made["tools"] = [{"name": name, "input_schema": SCHEMA} for name in (TOOL, "get_time")]
    return made


def _complete_contract(body: Body, probe: Body) -> Body:
    asks = {"role": "ROLE_USER", "parts": [{"text": {"text": "sample"}}]}
    messages = body.get("messages") or [asks]
    (said,) = messages
    kinds = {kind for part in said["parts"] for kind in part}
    call = {"tool_call": {"id": CALL, "name": TOOL, "arguments_json": "{}"}}
    if "tool_result" in kinds:
        messages = [asks, {"role": "ROLE_ASSISTANT", "parts": [call]}, {**said, "role": "ROLE_TOOL"}]
    elif kinds & {"tool_call", "reasoning", "refusal"}:
        result = {"tool_result": {"tool_call_id": CALL, "parts": [{"text": {"text": "sunny"}}]}}
        results = [{"role": "ROLE_TOOL", "parts": [result]}] if "tool_call" in kinds else []
        messages = [asks, {**said, "role": "ROLE_ASSISTANT"}, *results, asks]
    elif said["role"] == "ROLE_ASSISTANT":
        messages = [asks, said, asks]
    elif said["role"] != "ROLE_USER":
        messages = [said, asks]
    made = {**body, "messages": messages}
    if made.get("tool_choice", {}).get("mode") == "TOOL_CHOICE_MODE_NAMED":
        made["tool_choice"] = {"name": TOOL, **made["tool_choice"]}
    if probe.keys() & {"tool_choice", "parallel_tool_calls"} and "tools" not in made:
        made["tools"] = [{"function": {"name": name, "parameters_json": "{}"}} for name in (TOOL, "get_time")]
    return made


EDGES: Mapping[str, DeclaredEdge] = {
    each.name: each
    for each in (
        DeclaredEdge(
            HttpEdge("openai", "/v1/chat/completions"),
            "OpenAI's chat completions",
            "OpenAI's SDK",
            _openai_shape,
            _typed_openai,
            _complete_openai,
        ),
        DeclaredEdge(
            HttpEdge("anthropic", "/v1/messages"),
            "Anthropic's messages",
            "Anthropic's SDK",
            _anthropic_shape,
            _typed_anthropic,
            _complete_anthropic,
        ),
        DeclaredEdge(
            GoogleEdge("google", "/v1beta/models"),
            "Google's generateContent",
            "Google's SDK",
            google_shape,
            _typed_google,
            complete_google,
        ),
        DeclaredEdge(ContractEdge(), "The gateway's contract over gRPC", "the contract", _contract_shape, dict, _complete_contract),
    )
}
ELSEWHERE: Mapping[str, str] = {"responses": "tests/dialects/test_responses_round_trips.py"}
"""Edges that the suite does not ask yet, each with the tests that show what it carries."""
