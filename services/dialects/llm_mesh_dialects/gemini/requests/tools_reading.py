"""Tools and the choice between them, from the dialect to the typed payload."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.counting import MOST_TOOLS
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.gemini.proto_fields import ProtoFields
from llm_mesh_dialects.gemini.requests.schemas_reading import json_schema
from llm_mesh_dialects.gemini.vocabulary import DIALECT

_DECLARATIONS: Final = "functionDeclarations"
_VALIDATED: Final = "VALIDATED"
_MODES: Final = {
    "AUTO": content_pb2.TOOL_CHOICE_MODE_AUTO,
    "ANY": content_pb2.TOOL_CHOICE_MODE_REQUIRED,
    "NONE": content_pb2.TOOL_CHOICE_MODE_NONE,
    _VALIDATED: content_pb2.TOOL_CHOICE_MODE_AUTO,
}

Left = dict[str, Any]


def read_tools(body: ProtoFields, result: generate_pb2.GenerateInput) -> Left:
    """Reads the tools and how they are chosen; gives what of the choice is not modelled."""
    result.tools.extend(_tools(body))
    if len(result.tools) > MOST_TOOLS:
        raise body.wrong("tools", f"expected at most {MOST_TOOLS} functions and other tools together")
    config = body.inner("toolConfig")
    if config is None:
        return {}
    calling = config.inner("functionCallingConfig")
    left = {} if calling is None else _choose(calling, result)
    left = {"functionCallingConfig": left} if left else {}
    left |= config.present()
    return {"toolConfig": left} if left else {}


def _tools(body: ProtoFields) -> Iterator[content_pb2.Tool]:
    """Each function, and each tool of the provider, in order."""
    for tool in body.each("tools"):
        for key, value in tool.whole_object().items():
            if key == _DECLARATIONS:
                yield from (_function(each) for each in tool.each(key))
            elif value is not None:
                yield content_pb2.Tool(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=key, json=dumped({key: value})))


def _function(fields: ProtoFields) -> content_pb2.Tool:
    function = content_pb2.FunctionTool(name=fields.required_text("name"), description=fields.text("description") or "")
    schema, own = fields.raw("parametersJsonSchema"), fields.raw("parameters")
    if schema is not None and own is not None:
        raise fields.wrong("parameters", "expected either parameters or parametersJsonSchema")
    if own is not None:
        schema = json_schema(own, fields.at("parameters"))
    if schema is not None:
        function.parameters_json = dumped(schema, fields.at("parametersJsonSchema")).decode()
    return content_pb2.Tool(function=function, extras=as_extras(DIALECT, fields.present()))


def _choose(calling: ProtoFields, result: generate_pb2.GenerateInput) -> Left:
    word, allowed = calling.word("mode"), calling.texts("allowedFunctionNames")
    if word and word not in _MODES:
        raise calling.wrong("mode", "expected one of " + ", ".join(_MODES))
    if word == _VALIDATED:
        for tool in result.tools:
            if tool.WhichOneof("kind") == "function":
                tool.function.strict = True
    choice = content_pb2.ToolChoice(mode=_MODES.get(word, content_pb2.TOOL_CHOICE_MODE_UNSPECIFIED), allowed=allowed)
    if word == "ANY" and len(allowed) == 1:
        choice = content_pb2.ToolChoice(mode=content_pb2.TOOL_CHOICE_MODE_NAMED, name=allowed[0])
    if choice.ListFields():
        result.tool_choice.CopyFrom(choice)
    return calling.present()
