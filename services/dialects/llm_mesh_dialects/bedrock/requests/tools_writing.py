"""Tools, the choice between them, and the form of the answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.anthropic.schemas import UnbindableError, bindable
from llm_mesh_dialects.bedrock.blocks_writing import Block, ConverseBlocksWriter, cache_point
from llm_mesh_dialects.bedrock.families import Family
from llm_mesh_dialects.bedrock.opaque import own_block
from llm_mesh_dialects.bedrock.vocabulary import DIALECT
from llm_mesh_dialects.extras import dumped, parsed, put_nowhere
from llm_mesh_dialects.report import Report

_ANY_OBJECT: Final = "Answer with one JSON object and nothing else."
_BY_SCHEMA: Final = "Answer with JSON and nothing else. It must follow this JSON Schema:\n"
_NO_ARGUMENTS: Final = {"type": "object", "properties": {}}
_MODES: Final = {content_pb2.TOOL_CHOICE_MODE_AUTO: "auto", content_pb2.TOOL_CHOICE_MODE_REQUIRED: "any"}


class ToolsWriter:
    """Writes the tools of one request. `blocks` knows the tools that the conversation has called."""

    def __init__(self, family: Family, report: Report, blocks: ConverseBlocksWriter) -> None:
        self._family = family
        self._report = report
        self._blocks = blocks

    def config(self, request: generate_pb2.GenerateInput) -> dict[str, Any] | None:
        """`toolConfig`; None where there is none."""
        mode = request.tool_choice.mode
        tools = self._tools(request)
        if mode == content_pb2.TOOL_CHOICE_MODE_NONE and tools:
            self._report.approximated("tool_choice.mode", "the provider cannot forbid tools: the model is not told of them")
            tools = []
        missing = [name for name in self._blocks.called if name and name not in _names(tools)]
        if missing:  # the provider refuses calls and results of tools that the request does not define
            self._report.approximated("tools", "tools that the conversation has called are defined without arguments")
            tools += [{"toolSpec": {"name": name, "inputSchema": {"json": _NO_ARGUMENTS}}} for name in missing]
        if not tools:
            return None
        config: dict[str, Any] = {"tools": tools}
        if mode == content_pb2.TOOL_CHOICE_MODE_NAMED:
            config["toolChoice"] = {"tool": {"name": self._blocks.names.short(request.tool_choice.name)}}
        elif mode in _MODES:
            config["toolChoice"] = {_MODES[mode]: {}}
        return config

    def response_format(self, body: dict[str, Any], form: content_pb2.ResponseFormat, *, own: bool) -> str:
        """Writes the form of the answer; gives the instruction that stands for it where the model cannot be bound."""
        kind = form.WhichOneof("kind")
        if kind is None:
            return ""
        if kind == "json_object":
            self._report.approximated(
                "response_format.json_object", "asked for in the system message: the target enforces JSON only by a schema"
            )
            return _ANY_OBJECT
        schema_format = form.json_schema
        if not schema_format.schema_json:
            self._report.approximated("response_format.json_schema", "without a schema the model is told to answer in JSON")
            return _ANY_OBJECT
        field = "response_format.json_schema.schema_json"
        schema = self._bound(parsed(schema_format.schema_json, field), field, own=own) if self._family.schemas else None
        if schema is None:
            self._report.approximated("response_format.json_schema", "the model is told the schema: nothing binds it")
            return _BY_SCHEMA + schema_format.schema_json
        described = {"name": schema_format.name, "description": schema_format.description}
        written = {"schema": dumped(schema, field).decode(), **{key: text for key, text in described.items() if text}}
        body.setdefault("outputConfig", {})["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": written}}
        return ""

    def _tools(self, request: generate_pb2.GenerateInput) -> list[Block]:
        own, allowed = request.source_dialect == DIALECT, frozenset(request.tool_choice.allowed)
        if allowed:
            self._report.approximated("tool_choice.allowed", "only the allowed tools are sent")
        written: list[Block] = []
        for index, each in enumerate(request.tools):
            if allowed and each.function.name not in allowed:
                continue
            path = f"tools[{index}]."
            tool = self._tool(each, path, own=own)
            if tool is not None:
                written.append(tool)
            if each.HasField("cache_hint") and self._family.caching and written:
                written.append(cache_point(each.cache_hint, path, self._report))
            elif each.HasField("cache_hint"):
                self._report.dropped(f"{path}cache_hint", "the model caches nothing on request")
        return written if _names(written) or any("systemTool" in each for each in written) else []

    def _tool(self, definition: content_pb2.Tool, path: str, *, own: bool) -> Block | None:
        put_nowhere(definition.extras, DIALECT, self._report, path, place="tool.")
        if definition.WhichOneof("kind") == "opaque":
            if definition.opaque.dialect == DIALECT:
                return own_block(definition.opaque, "tool_type.", path, self._report)
            self._report.dropped(f"{path}opaque", f"a {definition.opaque.type} tool of the {definition.opaque.dialect} dialect")
            return None
        function = definition.function
        schema = _schema(function.parameters_json, path)
        spec: dict[str, Any] = {"name": self._blocks.names.short(function.name), "inputSchema": {"json": schema}}
        if function.description.strip():
            spec["description"] = function.description
        if function.strict:
            self._bind(spec, schema, path, own=own)
        return {"toolSpec": spec}

    def _bind(self, spec: dict[str, Any], schema: Any, path: str, *, own: bool) -> None:  # noqa: ANN401 (JSON)
        bound = self._bound(schema, f"{path}function.parameters_json", own=own) if self._family.schemas else None
        if bound is None:
            self._report.approximated(f"{path}function.strict", "the provider cannot bind the model to this schema")
            return
        spec["inputSchema"] = {"json": bound}
        spec["strict"] = True

    def _bound(self, schema: Any, field: str, *, own: bool) -> Any:  # noqa: ANN401 (JSON)
        """The schema as the provider takes it; None where it cannot. One that came in this dialect goes on as it came."""
        if own:
            return schema
        try:
            fitting = bindable(schema)
        except UnbindableError:
            return None
        if fitting != schema:
            self._report.approximated(field, "objects are closed, and keywords that do not bind stand in the description")
        return fitting


def _names(tools: Iterable[Block]) -> set[str]:
    return {each["toolSpec"]["name"] for each in tools if isinstance(each.get("toolSpec"), dict)}


def _schema(json: str, path: str) -> Any:  # noqa: ANN401 (JSON)
    """The schema of arguments, which says of itself that it is of an object."""
    if not json:
        return _NO_ARGUMENTS
    schema = parsed(json, f"{path}function.parameters_json")
    return {"type": "object", **schema} if isinstance(schema, dict) else schema
