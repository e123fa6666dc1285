"""Tools, the choice between them, and the form of the answer, from the typed payload to the dialect."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.allowing import ABSENT
from llm_mesh_dialects.extras import merged, parsed, put_back
from llm_mesh_dialects.gemini.opaque import whole
from llm_mesh_dialects.gemini.vocabulary import DIALECT
from llm_mesh_dialects.report import Report

_JSON: Final = "application/json"
_MODES: Final = {
    content_pb2.TOOL_CHOICE_MODE_AUTO: "AUTO",
    content_pb2.TOOL_CHOICE_MODE_NONE: "NONE",
    content_pb2.TOOL_CHOICE_MODE_REQUIRED: "ANY",
    content_pb2.TOOL_CHOICE_MODE_NAMED: "ANY",
}


def tools(request: generate_pb2.GenerateInput, report: Report) -> list[dict[str, Any]]:
    """The functions as one tool, and the provider's own tools beside it."""
    functions: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for index, tool in enumerate(request.tools):
        path = f"tools[{index}]."
        if tool.HasField("cache_hint"):
            report.dropped(f"{path}cache_hint", "the provider caches prefixes by itself")
        if tool.WhichOneof("kind") == "function":
            functions.append(_function(tool, path, report))
        elif tool.opaque.dialect != DIALECT:
            report.dropped(f"{path}opaque", f"a {tool.opaque.type} tool of the {tool.opaque.dialect} dialect")
        elif (value := whole(tool.opaque, "tool_type.", report, f"{path}opaque")) is not ABSENT:
            others.append(value)
    return [*([{"functionDeclarations": functions}] if functions else []), *others]


def tool_config(request: generate_pb2.GenerateInput, report: Report, *, functions: bool) -> dict[str, Any] | None:
    """How functions are called; None where nothing is said of it."""
    choice = request.tool_choice
    if request.HasField("parallel_tool_calls") and not request.parallel_tool_calls and functions:
        report.dropped("parallel_tool_calls", "the model decides by itself how many functions it calls at once")
    mode = _MODES.get(choice.mode, "")
    allowed = [choice.name] if choice.mode == content_pb2.TOOL_CHOICE_MODE_NAMED else list(choice.allowed)
    own = [tool.function.strict for tool in request.tools if tool.WhichOneof("kind") == "function"]
    strict = any(own)
    if mode in {"", "AUTO"} and (strict or allowed):
        mode = "VALIDATED"  # as AUTO, but names are obeyed, and arguments follow their schemas
        if strict and not all(own):
            report.approximated("tools", "the arguments of all functions follow their schemas, where some of them had to")
    if not mode or not functions:
        return None
    config: dict[str, Any] = {"mode": mode}
    if allowed and mode != "NONE":
        config["allowedFunctionNames"] = allowed
    return {"functionCallingConfig": config}


def response_format(config: dict[str, Any], form: content_pb2.ResponseFormat, report: Report) -> None:
    """Writes the form of the answer."""
    kind = form.WhichOneof("kind")
    if kind is None:
        return
    config["responseMimeType"] = _JSON
    if kind != "json_schema":
        return
    if form.json_schema.description:
        report.dropped("response_format.json_schema.description", "schemas are not described")
    if form.json_schema.schema_json:
        config["responseJsonSchema"] = parsed(form.json_schema.schema_json, "response_format.json_schema.schema_json")
    else:
        report.approximated("response_format.json_schema", "without a schema the answer is any JSON")


def put_config(body: dict[str, Any], key: str, config: dict[str, Any]) -> None:
    """Writes an object that an extra may have begun: what is written here wins."""
    if config:
        body[key] = merged(body.get(key, {}), config)


def _function(tool: content_pb2.Tool, path: str, report: Report) -> dict[str, Any]:
    function = tool.function
    written: dict[str, Any] = {"name": function.name}
    if function.description:
        written["description"] = function.description
    if function.parameters_json:
        schema = parsed(function.parameters_json, f"{path}function.parameters_json")
        if schema != {}:
            written["parametersJsonSchema"] = {"type": "object", **schema} if isinstance(schema, dict) else schema
    put_back(written, tool.extras, DIALECT, report, path, place="tool.")
    return written
