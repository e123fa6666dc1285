"""Every field that a check can name is told under the client's name: all fields of the typed input, through each layer and dialect."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_edge.domain.failures import Failure, placed
from llm_mesh_edge.domain.places import Body
from llm_mesh_edge.http.anthropic import failures as anthropic
from llm_mesh_edge.http.anthropic.places import place as anthropic_place
from llm_mesh_edge.http.google import failures as google
from llm_mesh_edge.http.google.places import place as google_place
from llm_mesh_edge.http.openai import failures as openai
from llm_mesh_edge.http.openai.places import place as openai_place
from llm_mesh_edge.http.responses import failures as responses
from llm_mesh_edge.http.responses.places import place as responses_place
from llm_mesh_gateway.domain import fields
from llm_mesh_runtime.errors import invalid

OURS = re.compile(
    r"generate\.|\binput\.|embed\.|parts\[|\bparts\b|_json\b|\btool_result\b|\btool_call\.|\boptions\.|\bmax_output_tokens\b|\bcandidate_count\b"
    r"|\bend_user\b|\bsampling\b|\buri\b|\bmime_type\b"
)
"""Words of the typed contract that no dialect has."""
OWN_WORDS = {
    "google": re.compile(r"\bcontent(s\[\d+\])?\.parts\b|\bfunctionResponse\.parts\b"),
    "responses": re.compile(r"\bmax_output_tokens\b"),
}
"""Where a dialect has the same word."""
NO_CLIENTS = frozenset({"extras", "source_dialect", "include_usage"})
"""Fields that the edge itself writes, or that have a rule of their own."""
ONLY_TYPED = frozenset({"opaque", "redacted", "signature", "cache_hint", "annotations"})
"""Parts of the payload that have no field of their own in a body: no check names them."""
WITHOUT = frozenset(
    {("anthropic", "input.candidate_count"), ("responses", "input.candidate_count")}
    | {(dialect, "input.sampling") for dialect in ("openai", "anthropic", "responses")}
)
"""What a dialect has no way to ask for, or has no one place for, so that no check of it can fail."""
TEXT = {"type": "text", "text": "x"}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": [TEXT, TEXT]}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def paths(descriptor: Any, prefix: str, depth: int = 0) -> Iterator[str]:
    """All fields below a message, lists by their first item."""
    for field in descriptor.fields:
        if field.name in NO_CLIENTS | ONLY_TYPED or (".tool_result." in prefix and field.name in {"tool_call", "tool_result"}):
            continue  # a result has no calls, nor results
        path = f"{prefix}.{field.name}"
        inner = field.message_type
        if inner is not None and inner.GetOptions().map_entry:
            yield from (path, f"{path}[7]")
            continue
        if field.is_repeated:
            yield path
            path += "[0]"
        yield path
        if inner is not None and inner.full_name.startswith("llm_mesh.") and depth < 6:
            yield from paths(inner, path, depth + 1)


INPUT = sorted(set(paths(generate_pb2.GenerateInput.DESCRIPTOR, "input")))
EMBEDDED = sorted(set(paths(embed_pb2.EmbedInput.DESCRIPTOR, "input")))
OPTIONS = sorted(set(paths(gateway_pb2.RequestOptions.DESCRIPTOR, "options")))
DIALECTS: dict[str, tuple[ModuleType, Callable[[str, Body], str]]] = {
    "openai": (openai, openai_place),
    "anthropic": (anthropic, anthropic_place),
    "google": (google, google_place),
    "responses": (responses, responses_place),
}


SAYS = {"role": "user", "content": [{"type": "input_text", "text": "x"}]}
ITEMS: dict[str, dict[str, Any]] = {
    "tool_call": {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    "tool_result": {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "x"}]},
    "reasoning": {"type": "reasoning", "id": "r", "summary": []},
}


def body_for(dialect: str, path: str) -> dict[str, Any]:
    """A body that has what the path is about."""
    if dialect == "google":
        return google_body_for(path)
    if dialect == "responses":
        return {"model": "m", "input": [next((item for kind, item in ITEMS.items() if f".{kind}" in path), SAYS)]}
    if dialect == "openai":
        if ".tool_result" in path:
            return {"messages": [{"role": "tool", "tool_call_id": "t", "content": [TEXT, TEXT]}]}
        if ".tool_call" in path:
            return {"messages": [{"role": "assistant", "content": None, "tool_calls": [CALL]}]}
    return {"messages": [{"role": "user", "content": [RESULT] if ".tool_result" in path else [TEXT]}]}


def google_body_for(path: str) -> dict[str, Any]:
    response: dict[str, Any] = {"functionResponse": {"name": "f", "response": {}, "parts": [{"inlineData": {}}]}}
    part: dict[str, Any] = response if ".tool_result" in path else {"functionCall": {}} if ".tool_call" in path else {"text": "x"}
    tools = [{"functionDeclarations": [{"name": "f"}]}]
    return {"contents": [{"role": "user", "parts": [part]}], "tools": tools, "requests": [{"content": {"parts": [{"text": "x"}]}}]}


def told(dialect: str, path: str) -> str:
    module, place = DIALECTS[dialect]
    failure = placed(Failure(400, "invalid_field", f"{path}: wrong", param=path), place, body_for(dialect, path))
    message = module.shape(failure, _Headers())["error"]["message"]
    return f"{module.param_of(failure) or ''} {message}"


class _Headers:
    request_id = "r"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("path", [*INPUT, *OPTIONS])
def test_a_client_reads_no_word_of_the_contract(dialect: str, path: str) -> None:
    if (dialect, path) in WITHOUT:
        return
    said = told(dialect, path)
    own = OWN_WORDS.get(dialect)
    said = own.sub("", said) if own is not None else said
    assert not OURS.search(said), said


@pytest.mark.parametrize("path", EMBEDDED)
def test_a_client_of_embeddings_neither(path: str) -> None:
    assert not OURS.search(told("openai", path)), told("openai", path)


@pytest.mark.parametrize("layer", ["generate", "embed"])
def test_what_policy_names_is_named_as_the_gateways_caller_does(layer: str) -> None:
    for path in INPUT if layer == "generate" else EMBEDDED:
        failure = fields.in_callers_words(invalid(path.replace("input", layer, 1), "wrong"), 0)
        assert failure.field == path
        assert layer + "." not in failure.message


def literal(node: ast.expr) -> str:
    """The field that a check names, `*` for what depends on the request; empty where all of it does."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
    return ""
