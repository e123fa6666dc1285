"""Tools, the choice between them, thinking and the form of the answer, from the dialect to the typed payload."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.anthropic.blocks_reading import cache_hint
from llm_mesh_dialects.anthropic.vocabulary import CHOICE_MODES, DIALECT, EFFORTS
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields

Left = dict[str, Any]


def tool(fields: Fields) -> content_pb2.Tool:
    """One tool; the provider's own are kept whole."""
    kind = fields.text("type")
    if kind not in {None, "", "custom"}:
        return content_pb2.Tool(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=kind, json=dumped(fields.whole_object())))
    schema = fields.required("input_schema")
    function = content_pb2.FunctionTool(
        name=fields.required_text("name"),
        description=fields.text("description") or "",
        parameters_json=dumped(schema.whole_object(), fields.at("input_schema")).decode(),
        strict=fields.truth("strict"),
    )
    hint, left = cache_hint(fields)
    return content_pb2.Tool(
        function=function, cache_hint=hint, extras=as_extras(DIALECT, fields.rest() | left | ({"type": kind} if kind else {}))
    )


def tool_choice(fields: Fields) -> tuple[content_pb2.ToolChoice | None, bool | None, Left]:
    """The choice, whether several tools may be called at once, and what of it is not modelled."""
    choice = fields.inner("tool_choice")
    if choice is None:
        return None, None, {}
    mode = CHOICE_MODES.get(choice.required_text("type"))
    if mode is None:
        raise choice.wrong("type", "expected one of " + ", ".join(CHOICE_MODES))
    name = choice.required_text("name") if mode == content_pb2.TOOL_CHOICE_MODE_NAMED else ""
    single = choice.truth("disable_parallel_tool_use")
    left = choice.rest()
    parallel = None if single is None else not single
    return content_pb2.ToolChoice(mode=mode, name=name), parallel, {"tool_choice": left} if left else {}


def output_config(fields: Fields, result: generate_pb2.GenerateInput) -> Left:
    """Reads the effort and the form of the answer; gives what is not modelled."""
    config = fields.inner("output_config")
    if config is None:
        return {}
    left: Left = {}
    effort = config.text("effort")
    if effort in EFFORTS:
        result.reasoning.effort = effort
    elif effort:
        left["effort"] = effort
    form = config.inner("format")
    if form is not None and form.text("type") == "json_schema":
        schema = form.required("schema").whole_object()
        result.response_format.json_schema.schema_json = dumped(schema, form.at("schema")).decode()
        if form.rest():
            left["format"] = form.rest()
    elif form is not None:
        left["format"] = form.whole_object()
    left |= config.rest()
    return {"output_config": left} if left else {}


def thinking(fields: Fields, result: generate_pb2.GenerateInput) -> Left:
    """Reads a budget of thinking, or that there shall be none; gives what is not modelled."""
    config = fields.inner("thinking")
    if config is None:
        return {}
    kind = config.required_text("type")
    if kind == "enabled":
        result.reasoning.budget_tokens = config.whole("budget_tokens", 1) or 0
        if result.reasoning.budget_tokens:
            left = config.rest()
            return {"thinking": left} if left else {}
    elif kind == "disabled" and not result.reasoning.effort and not config.rest():
        result.reasoning.effort = "none"
        return {}
    return {"thinking": config.whole_object()}
