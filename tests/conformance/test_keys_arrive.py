"""Keys that a dialect lets through: each reaches the provider wherever it may stand, or a note says that it does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

import pytest

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_adapter_kit.dialect import Ask
from llm_mesh_dialects.allowing import KeyRule, KeyTreatment, Table
from llm_mesh_runtime.errors import MeshError
from tests.adapter_kit.every_dialect import wired
from tests.conformance.samples import CALL, PDF, PNG, TOOL
from tests.conformance.wires import WIRES

NEEDLE = "needle-4711"
_PLACES = ("message.", "part.", "tool.")
"""What stands before a key that is none of the request itself. Other methods, types and words before a dot are not of this test."""


class Case(NamedTuple):
    """A key at one place."""

    adapter: str
    key: str
    place: str


def _texts(words: str) -> content_pb2.Part:
    return content_pb2.Part(text=content_pb2.Text(text=words))


def _conversation() -> generate_pb2.GenerateInput:
    """A message of each role, a part of each kind, a tool."""
    call = content_pb2.Part(tool_call=content_pb2.ToolCall(id=CALL, name=TOOL, arguments_json="{}"))
    result = content_pb2.Part(tool_result=content_pb2.ToolResult(tool_call_id=CALL, parts=[_texts("sunny")]))
    image = content_pb2.Part(image=content_pb2.Media(data=PNG, mime_type="image/png"))
    file = content_pb2.Part(file=content_pb2.Media(data=PDF.encode(), mime_type="text/plain", filename="house.txt"))
    messages = [
        content_pb2.Message(role=content_pb2.ROLE_SYSTEM, parts=[_texts("be terse")]),
        content_pb2.Message(role=content_pb2.ROLE_USER, parts=[_texts("hello"), image, file]),
        content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=[_texts("well"), call]),
        content_pb2.Message(role=content_pb2.ROLE_TOOL, parts=[result]),
    ]
    tool = content_pb2.Tool(function=content_pb2.FunctionTool(name=TOOL, parameters_json='{"type":"object"}'))
    return generate_pb2.GenerateInput(messages=messages, tools=[tool])


def _targets(made: generate_pb2.GenerateInput) -> dict[str, Any]:
    """What may hold a key, by its place."""
    targets: dict[str, Any] = {"": made, "tools[0].": made.tools[0]}
    for index, message in enumerate(made.messages):
        targets[f"messages[{index}]."] = message
        for number, part in enumerate(message.parts):
            targets[f"messages[{index}].parts[{number}]."] = part
    return targets


def _table(adapter: str) -> Table:
    table: Table = import_module(f"llm_mesh_dialects.{WIRES[adapter].dialect}.allowed").TABLE
    return table


def _kind(place: str) -> str:
    """As tables name where a key stands."""
    return "" if not place else "tool." if place.startswith("tools") else "part." if "parts" in place else "message."


def cases() -> Iterator[Case]:
    places = list(_targets(_conversation()))
    for adapter in WIRES:
        for name, rule in _table(adapter).rules.items():
            before = next((each for each in _PLACES if name.startswith(each)), "")
            key = name.removeprefix(before)
            if rule.kind is KeyTreatment.SAFE and "." not in key and not key.endswith("*"):
                yield from (Case(adapter, key, place) for place in places if _kind(place) == before)


def _value(rule: KeyRule) -> Any:
    if rule.types is not None:
        return {"type": min(rule.types), "name": NEEDLE}
    return NEEDLE if rule.inner is None else dict.fromkeys(rule.inner, NEEDLE)


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: f"{case.adapter}-{case.place}{case.key}")
def test_a_key_that_may_pass_arrives_or_is_noted(case: Case) -> None:
    made = wired(case.adapter, "127.0.0.1:9")
    asked = _conversation()
    value = json.dumps(_value(_table(case.adapter).rules[_kind(case.place) + case.key])).encode()
    _targets(asked)[case.place].extras.add(dialect=_table(case.adapter).dialect, key=case.key, json=value)
    try:
        call = made.dialect.generate(Ask(made.endpoint, "m", 256, stream=True), asked)
    except MeshError:
        return  # refused, with a reason
    noted = any(case.key in note.field for note in call.translations)
    assert NEEDLE in call.body.decode() or NEEDLE in str(dict(call.headers)) or noted, call.body.decode()[:2000]
