"""Tools, and the form of the answer, from the typed payload to the dialect."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.extras import parsed, put_nowhere
from llm_mesh_dialects.ollama.vocabulary import DIALECT
from llm_mesh_dialects.report import Report

_NO_ARGUMENTS: Final = {"type": "object", "properties": {}}
_MODES: Final = {
    content_pb2.TOOL_CHOICE_MODE_REQUIRED: "a call",
    content_pb2.TOOL_CHOICE_MODE_NAMED: "a call of this tool; it is the only one that the model sees",
}


def tools(request: generate_pb2.GenerateInput, report: Report) -> list[dict[str, Any]]:
    """The tools that the model may call. There is no choice in the dialect: what must not be called is not shown."""
    choice = request.tool_choice
    if request.HasField("parallel_tool_calls") and not request.parallel_tool_calls:
        report.dropped("parallel_tool_calls", "the model may call several tools at once")
    if choice.mode == content_pb2.TOOL_CHOICE_MODE_NONE:
        return []
    if choice.mode in _MODES:
        report.approximated("tool_choice", f"the server cannot force {_MODES[choice.mode]}")
    shown = {choice.name} if choice.mode == content_pb2.TOOL_CHOICE_MODE_NAMED else set(choice.allowed)
    return [
        written
        for number, each in enumerate(request.tools)
        if not shown or each.function.name in shown
        if (written := _tool(each, f"tools[{number}].", report)) is not None
    ]


def _tool(definition: content_pb2.Tool, path: str, report: Report) -> dict[str, Any] | None:
    if definition.WhichOneof("kind") == "opaque":
        report.dropped(f"{path}opaque", f"a {definition.opaque.type} tool of the {definition.opaque.dialect} dialect")
        return None
    if definition.HasField("cache_hint"):
        report.dropped(f"{path}cache_hint", "the server caches prefixes by itself")
    function = definition.function
    if function.strict:
        report.dropped(f"{path}function.strict", "nothing binds arguments to their schema")
    written: dict[str, Any] = {"name": function.name}
    if function.description:
        written["description"] = function.description
    schema = parsed(function.parameters_json, f"{path}function.parameters_json") if function.parameters_json else _NO_ARGUMENTS
    written["parameters"] = schema
    put_nowhere(definition.extras, DIALECT, report, path, place="tool.")
    return {"type": "function", "function": written}


def answer_form(form: content_pb2.ResponseFormat, report: Report) -> str | dict[str, Any] | None:
    """The `format`: `json`, or a schema. None: text."""
    kind = form.WhichOneof("kind")
    if kind is None:
        return None
    if kind == "json_object":
        return "json"
    schema_format = form.json_schema
    if schema_format.description:
        report.dropped("response_format.json_schema.description", "schemas are not described")
    if not schema_format.schema_json:
        return "json"
    schema: dict[str, Any] = parsed(schema_format.schema_json, "response_format.json_schema.schema_json")
    return schema
