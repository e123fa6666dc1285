"""Tools, the choice between them, and the form of the answer, from the typed payload to the dialect."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.cohere.vocabulary import DIALECT
from llm_mesh_dialects.extras import parsed, put_nowhere
from llm_mesh_dialects.report import Report

_NO_ARGUMENTS: Final = {"type": "object", "properties": {}}
_CHOICES: Final = {
    content_pb2.TOOL_CHOICE_MODE_NONE: "NONE",
    content_pb2.TOOL_CHOICE_MODE_REQUIRED: "REQUIRED",
    content_pb2.TOOL_CHOICE_MODE_NAMED: "REQUIRED",
}
"""A named tool is a call that is required, of the only tool that is shown."""


def tools(body: dict[str, Any], request: generate_pb2.GenerateInput, report: Report) -> None:
    """Writes `tools`, `strict_tools` and `tool_choice`."""
    choice = request.tool_choice
    if request.HasField("parallel_tool_calls") and not request.parallel_tool_calls:
        report.dropped("parallel_tool_calls", "the model may call several tools at once")
    shown = {choice.name} if choice.mode == content_pb2.TOOL_CHOICE_MODE_NAMED else set(choice.allowed)
    chosen = [(number, each) for number, each in enumerate(request.tools) if not shown or each.function.name in shown]
    written = [tool for number, each in chosen if (tool := _tool(each, f"tools[{number}].", report)) is not None]
    if not written:
        if choice.mode in {content_pb2.TOOL_CHOICE_MODE_REQUIRED, content_pb2.TOOL_CHOICE_MODE_NAMED}:
            report.dropped("tool_choice", "there is no tool that could be called")
        return
    body["tools"] = written
    _strict(body, [each for _, each in chosen], report)
    if word := _CHOICES.get(choice.mode):
        body["tool_choice"] = word


def _strict(body: dict[str, Any], chosen: list[content_pb2.Tool], report: Report) -> None:
    """One word for all tools: strict where one of them is."""
    words = {each.function.strict for each in chosen if each.WhichOneof("kind") == "function"}
    if True in words:
        body["strict_tools"] = True
        if False in words:
            report.approximated("tools", "all tools are strict, or none: all are")


def _tool(definition: content_pb2.Tool, path: str, report: Report) -> dict[str, Any] | None:
    if definition.WhichOneof("kind") == "opaque":
        report.dropped(f"{path}opaque", f"a {definition.opaque.type} tool of the {definition.opaque.dialect} dialect")
        return None
    if definition.HasField("cache_hint"):
        report.dropped(f"{path}cache_hint", "the provider caches by itself")
    function = definition.function
    written: dict[str, Any] = {"name": function.name}
    if function.description:
        written["description"] = function.description
    schema = parsed(function.parameters_json, f"{path}function.parameters_json") if function.parameters_json else _NO_ARGUMENTS
    written["parameters"] = schema
    put_nowhere(definition.extras, DIALECT, report, path, place="tool.")
    return {"type": "function", "function": written}


def answer_form(form: content_pb2.ResponseFormat, report: Report) -> dict[str, Any] | None:
    """The `response_format`. None: text."""
    kind = form.WhichOneof("kind")
    if kind is None:
        return None
    written: dict[str, Any] = {"type": "json_object"}
    if kind == "json_schema":
        if form.json_schema.description:
            report.dropped("response_format.json_schema.description", "schemas are not described")
        if form.json_schema.schema_json:
            written["json_schema"] = parsed(form.json_schema.schema_json, "response_format.json_schema.schema_json")
    return written
