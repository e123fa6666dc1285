"""Tools, the choice between them, and the form of the answer, from the typed payload to the dialect."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.allowing import ABSENT
from llm_mesh_dialects.extras import parsed, put_back, whole
from llm_mesh_dialects.openai.caching import hint
from llm_mesh_dialects.openai.quirks import OpenAIQuirks
from llm_mesh_dialects.openai.vocabulary import CHOICE_WORDS, DIALECT
from llm_mesh_dialects.report import Report


def tool(definition: content_pb2.Tool, path: str, quirks: OpenAIQuirks, report: Report) -> dict[str, Any] | None:
    """One tool; None where it is of another dialect."""
    if definition.WhichOneof("kind") == "opaque":
        if definition.opaque.dialect != DIALECT:
            report.dropped(f"{path}opaque", f"a {definition.opaque.type} tool of the {definition.opaque.dialect} dialect")
            return None
        value = whole(definition.opaque, "tool_type.", report, f"{path}opaque")
        return None if value is ABSENT else value
    function: dict[str, Any] = {"name": definition.function.name}
    if definition.function.description:
        function["description"] = definition.function.description
    if definition.function.parameters_json:
        function["parameters"] = parsed(definition.function.parameters_json, f"{path}function.parameters_json")
    if definition.function.HasField("strict"):
        function["strict"] = definition.function.strict
    result: dict[str, Any] = {"type": "function", "function": function}
    hint(result, definition, path, quirks, report)
    put_back(result, definition.extras, DIALECT, report, path, place="tool.")
    return result


def tool_choice(choice: content_pb2.ToolChoice, quirks: OpenAIQuirks) -> str | dict[str, Any] | None:
    if choice.allowed and quirks.allowed_tools and choice.mode in CHOICE_WORDS:
        tools = [{"type": "function", "function": {"name": name}} for name in choice.allowed]
        return {"type": "allowed_tools", "allowed_tools": {"mode": CHOICE_WORDS[choice.mode], "tools": tools}}
    if choice.mode == content_pb2.TOOL_CHOICE_MODE_NAMED:
        return {"type": "function", "function": {"name": choice.name}}
    return CHOICE_WORDS.get(choice.mode)


def response_format(form: content_pb2.ResponseFormat) -> dict[str, Any]:
    """The form of the answer."""
    kind = form.WhichOneof("kind")
    if kind == "json_object":
        return {"type": "json_object"}
    if kind != "json_schema":
        return {"type": "text"}
    schema_format = form.json_schema
    inner: dict[str, Any] = {"name": schema_format.name or "answer"}
    if schema_format.description:
        inner["description"] = schema_format.description
    if schema_format.schema_json:
        inner["schema"] = parsed(schema_format.schema_json, "response_format.json_schema.schema_json")
    if schema_format.HasField("strict"):
        inner["strict"] = schema_format.strict
    return {"type": "json_schema", "json_schema": inner}
