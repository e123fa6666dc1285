"""Tools, the choice between them, and the form of the answer, from a client's body to the typed payload."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai.vocabulary import CHOICE_MODES
from llm_mesh_dialects.responses.vocabulary import DIALECT


def tool(fields: Fields) -> content_pb2.Tool:
    """A function, or a tool of any other type as it is."""
    kind = fields.required_text("type")
    if kind != "function":
        return content_pb2.Tool(
            opaque=content_pb2.OpaquePart(dialect=DIALECT, type=kind, json=dumped(fields.whole_object(), fields.at("type")))
        )
    function = content_pb2.FunctionTool(
        name=fields.required_text("name"), description=fields.text("description") or "", strict=fields.truth("strict")
    )
    parameters = fields.inner("parameters")
    if parameters is not None:
        function.parameters_json = dumped(parameters.whole_object(), fields.at("parameters")).decode()
    return content_pb2.Tool(function=function, extras=as_extras(DIALECT, fields.rest()))


def tool_choice(value: Any) -> content_pb2.ToolChoice | None:  # noqa: ANN401 (JSON)
    """The choice; None for one that is not modelled, such as a custom tool."""
    if isinstance(value, str):
        mode = CHOICE_MODES.get(value)
        if mode is None:
            raise DialectError("tool_choice", "expected auto, none, required or a tool")
        return content_pb2.ToolChoice(mode=mode)
    choice = Fields(value, "tool_choice")
    kind = choice.required_text("type")
    if kind == "function":
        return content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_NAMED, name=choice.required_text("name"))
    return _allowed(choice) if kind == "allowed_tools" else None


def _allowed(choice: Fields) -> content_pb2.ToolChoice | None:
    """A choice among some of the tools, where all of them are functions."""
    mode = CHOICE_MODES.get(choice.required_text("mode"))
    if mode is None:
        raise choice.wrong("mode", "expected auto or required")
    tools = list(choice.each("tools"))
    if not tools:
        raise choice.wrong("tools", "expected at least one tool")
    if any(each.text("type") != "function" for each in tools):
        return None
    return content_pb2.ToolChoice(mode=mode, allowed=[each.required_text("name") for each in tools])


def response_format(text: Fields) -> content_pb2.ResponseFormat | None:
    """The form of the answer; None for a text. What else `text` has stays unread."""
    form = text.inner("format")
    if form is None:
        return None
    kind = form.required_text("type")
    if kind == "text":
        return None
    if kind == "json_object":
        return content_pb2.ResponseFormat(json_object=content_pb2.JsonObjectFormat())
    if kind != "json_schema":
        raise form.wrong("type", "expected text, json_object or json_schema")
    schema = content_pb2.JsonSchemaFormat(
        name=form.required_text("name"),
        description=form.text("description") or "",
        schema_json=dumped(form.required("schema").whole_object(), form.at("schema")).decode(),
        strict=form.truth("strict"),
    )
    return content_pb2.ResponseFormat(json_schema=schema)
