"""Tools, the choice between them, and the form of the answer, from the typed payload to the dialect."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.allowing import ABSENT
from llm_mesh_dialects.anthropic.caching import hint
from llm_mesh_dialects.anthropic.quirks import AnthropicQuirks
from llm_mesh_dialects.anthropic.schemas import UnbindableError, bindable
from llm_mesh_dialects.anthropic.vocabulary import CHOICE_WORDS, DIALECT
from llm_mesh_dialects.extras import parsed, put_back, whole
from llm_mesh_dialects.report import Report

_ANY_OBJECT: Final = "Answer with one JSON object and nothing else."
_BY_SCHEMA: Final = "Answer with JSON and nothing else. It must follow this JSON Schema:\n"
_MEANINGLESS: Final = frozenset({"auto", "none"})


def tools(request: generate_pb2.GenerateInput, quirks: AnthropicQuirks, report: Report) -> list[dict[str, Any]]:
    """The tools that may be called, without those of other dialects."""
    own, allowed = request.source_dialect == DIALECT, frozenset(request.tool_choice.allowed)
    if allowed:
        report.approximated("tool_choice.allowed", "only the allowed tools are sent")
    written = [
        _tool(each, f"tools[{index}].", quirks, report, own=own)
        for index, each in enumerate(request.tools)
        if not allowed or each.function.name in allowed
    ]
    return [each for each in written if each is not None]


def tool_choice(request: generate_pb2.GenerateInput, *, any_tools: bool) -> dict[str, Any] | None:
    """The choice, with whether several tools may be called at once; None where it says nothing."""
    word = CHOICE_WORDS.get(request.tool_choice.mode)
    single = request.HasField("parallel_tool_calls") and not request.parallel_tool_calls
    if word is None:
        return {"type": "auto", "disable_parallel_tool_use": True} if single and any_tools else None
    if word in _MEANINGLESS and not any_tools:
        return None
    choice: dict[str, Any] = {"type": word}
    if word == "tool":
        choice["name"] = request.tool_choice.name
    if request.HasField("parallel_tool_calls") and word != "none":
        choice["disable_parallel_tool_use"] = single
    return choice


def response_format(body: dict[str, Any], form: content_pb2.ResponseFormat, quirks: AnthropicQuirks, report: Report, *, own: bool) -> str:
    """Writes the form of the answer; gives the instruction that stands for it where the model cannot be bound."""
    kind = form.WhichOneof("kind")
    if kind is None:
        return ""
    if kind == "json_object":
        report.approximated("response_format.json_object", "asked for in the system message: the target enforces JSON only by a schema")
        return _ANY_OBJECT
    schema_format = form.json_schema
    if schema_format.description:
        report.dropped("response_format.json_schema.description", "schemas are not described")
    if not schema_format.schema_json:
        report.approximated("response_format.json_schema", "without a schema the model is told to answer in JSON")
        return _ANY_OBJECT
    if not quirks.schemas:
        report.approximated("response_format.json_schema", "the model is told the schema: nothing binds it")
        return _BY_SCHEMA + schema_format.schema_json
    field = "response_format.json_schema.schema_json"
    schema = _bound(parsed(schema_format.schema_json, field), field, report, own=own)
    if schema is None:
        report.approximated("response_format.json_schema", "the provider cannot bind the model to this schema: the model is told it")
        return _BY_SCHEMA + schema_format.schema_json
    body.setdefault("output_config", {})["format"] = {"type": "json_schema", "schema": schema}
    return ""


def _tool(definition: content_pb2.Tool, path: str, quirks: AnthropicQuirks, report: Report, *, own: bool) -> dict[str, Any] | None:
    if definition.WhichOneof("kind") == "opaque":
        if definition.opaque.dialect != DIALECT:
            report.dropped(f"{path}opaque", f"a {definition.opaque.type} tool of the {definition.opaque.dialect} dialect")
            return None
        value = whole(definition.opaque, "tool_type.", report, f"{path}opaque")
        return None if value is ABSENT else value
    function = definition.function
    written: dict[str, Any] = {"name": function.name, "input_schema": _schema(function.parameters_json, path)}
    if function.description:
        written["description"] = function.description
    if function.HasField("strict"):
        if quirks.schemas:
            _bind(written, function, path, report, own=own)
        elif function.strict:
            report.dropped(f"{path}function.strict", "nothing binds the model to a schema")
    hint(written, definition, path, report)
    put_back(written, definition.extras, DIALECT, report, path, place="tool.")
    return written


def _bind(written: dict[str, Any], function: content_pb2.FunctionTool, path: str, report: Report, *, own: bool) -> None:
    schema = _bound(written["input_schema"], f"{path}function.parameters_json", report, own=own) if function.strict else None
    if schema is not None:
        written["input_schema"] = schema
    elif function.strict:
        report.approximated(f"{path}function.strict", "the provider cannot bind the model to this schema")
        return
    written["strict"] = function.strict


def _bound(schema: Any, field: str, report: Report, *, own: bool) -> Any:  # noqa: ANN401 (JSON)
    """The schema as the provider takes it; None where it cannot. One that came in this dialect goes on as it came."""
    if own:
        return schema
    try:
        fitting = bindable(schema)
    except UnbindableError:
        return None
    if fitting != schema:
        report.approximated(field, "objects are closed, and keywords that do not bind stand in the description")
    return fitting


def _schema(json: str, path: str) -> Any:  # noqa: ANN401 (JSON)
    """The schema of arguments, which says of itself that it is of an object."""
    if not json:
        return {"type": "object", "properties": {}}
    schema = parsed(json, f"{path}function.parameters_json")
    return {"type": "object", **schema} if isinstance(schema, dict) else schema
