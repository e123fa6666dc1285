"""Tools, the choice between them, and the form of the answer, from the dialect to the typed payload."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai.caching import read_hint
from llm_mesh_dialects.openai.vocabulary import CHOICE_MODES, DIALECT


def tool(fields: Fields) -> content_pb2.Tool:
    kind = fields.required_text("type")
    if kind != "function":
        return content_pb2.Tool(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=kind, json=dumped(fields.whole_object())))
    function = fields.required("function")
    function_tool = content_pb2.FunctionTool(
        name=function.required_text("name"), description=function.text("description") or "", strict=function.truth("strict")
    )
    parameters = function.inner("parameters")
    if parameters is not None:
        function_tool.parameters_json = dumped(parameters.whole_object(), function.at("parameters")).decode()
    result = content_pb2.Tool(function=function_tool)
    read_hint(result, fields)
    left = function.rest()
    result.extras.extend(as_extras(DIALECT, ({"function": left} if left else {}) | fields.rest()))
    return result


def tool_choice(fields: Fields) -> tuple[content_pb2.ToolChoice | None, dict[str, Any]]:
    """The choice, and what of it is not modelled."""
    raw_choice = fields.raw("tool_choice")
    if raw_choice is None:
        return None, {}
    if isinstance(raw_choice, str):
        mode = CHOICE_MODES.get(raw_choice)
        if mode is None:
            raise fields.wrong("tool_choice", "expected auto, none, required or a tool")
        return content_pb2.ToolChoice(mode=mode), {}
    choice = fields.required("tool_choice")
    kind = choice.required_text("type")
    if kind == "allowed_tools":
        return _allowed(choice.required("allowed_tools"), raw_choice)
    if kind != "function":  # such as a custom tool
        return None, {"tool_choice": raw_choice}
    name = choice.required("function").required_text("name")
    return content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_NAMED, name=name), {}


def _allowed(fields: Fields, raw_choice: Any) -> tuple[content_pb2.ToolChoice | None, dict[str, Any]]:  # noqa: ANN401 (JSON)
    """A choice among some of the tools, where all of them are functions."""
    mode = CHOICE_MODES.get(fields.required_text("mode"))
    if mode is None:
        raise fields.wrong("mode", "expected auto or required")
    tools = list(fields.each("tools"))
    if not tools:
        raise fields.wrong("tools", "expected at least one tool")
    if any(each.text("type") != "function" for each in tools):
        return None, {"tool_choice": raw_choice}
    names = [each.required("function").required_text("name") for each in tools]
    return content_pb2.ToolChoice(mode=mode, allowed=names), {}


def response_format(fields: Fields) -> tuple[content_pb2.ResponseFormat | None, dict[str, Any]]:
    """The form of the answer, and what of it is not modelled."""
    form = fields.inner("response_format")
    if form is None:
        return None, {}
    kind = form.required_text("type")
    if kind == "text":
        return content_pb2.ResponseFormat(), {}
    if kind == "json_object":
        result = content_pb2.ResponseFormat(json_object=content_pb2.JsonObjectFormat())
        schema = form.rest()
        return result, {"response_format": schema} if schema else {}
    if kind != "json_schema":  # such as a grammar
        return None, {"response_format": form.whole_object()}
    schema_fields = form.required("json_schema")
    schema_format = content_pb2.JsonSchemaFormat(
        name=schema_fields.required_text("name"),
        description=schema_fields.text("description") or "",
        strict=schema_fields.truth("strict"),
    )
    schema_json = schema_fields.inner("schema")
    if schema_json is not None:
        schema_format.schema_json = dumped(schema_json.whole_object(), schema_fields.at("schema")).decode()
    inner = schema_fields.rest()
    left = ({"json_schema": inner} if inner else {}) | form.rest()
    return content_pb2.ResponseFormat(json_schema=schema_format), {"response_format": left} if left else {}
