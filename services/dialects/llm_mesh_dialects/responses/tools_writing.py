"""Tools, the choice between them, and the form of the answer, from the typed payload to the dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.allowing import ABSENT
from llm_mesh_dialects.extras import parsed, put_back, whole
from llm_mesh_dialects.openai.names import ToolNames
from llm_mesh_dialects.openai.vocabulary import CHOICE_WORDS
from llm_mesh_dialects.report import Report
from llm_mesh_dialects.responses.vocabulary import DIALECT

LONGEST_TOOL_NAME: Final = 64
Body = dict[str, Any]


def tools(request: generate_pb2.GenerateInput, report: Report, *, own: bool) -> list[Body]:
    """The tools. What the dialect is not told it holds to be strict: where the request came in another dialect, it is told."""
    written = (_tool(each, f"tools[{index}].", report, own=own) for index, each in enumerate(request.tools))
    return [each for each in written if each is not None]


def _tool(definition: content_pb2.Tool, path: str, report: Report, *, own: bool) -> Body | None:
    if definition.HasField("cache_hint"):
        report.dropped(f"{path}cache_hint", "the provider caches prefixes by itself")
    if definition.WhichOneof("kind") == "opaque":
        if definition.opaque.dialect != DIALECT:
            report.dropped(f"{path}opaque", f"a {definition.opaque.type} tool of the {definition.opaque.dialect} dialect")
            return None
        value = whole(definition.opaque, "tool_type.", report, f"{path}opaque")
        return None if value is ABSENT else value
    function = definition.function
    json = function.parameters_json
    strict = function.strict if function.HasField("strict") else None if own else False
    written: Body = {
        "type": "function",
        "name": function.name,
        "parameters": parsed(json, f"{path}function.parameters_json") if json else None,
        "strict": strict,
    }
    if function.description:
        written["description"] = function.description
    put_back(written, definition.extras, DIALECT, report, path, place="tool.")
    return written


def tool_choice(choice: content_pb2.ToolChoice, written: Sequence[Body], report: Report) -> str | Body | None:
    """The choice; None for the provider's default."""
    names = {each.get("name") for each in written}
    if not written:
        if choice.mode in {content_pb2.TOOL_CHOICE_MODE_REQUIRED, content_pb2.TOOL_CHOICE_MODE_NAMED}:
            report.dropped("tool_choice", "no tool is left to call")
        return None
    if choice.mode == content_pb2.TOOL_CHOICE_MODE_NAMED:
        if choice.name in names:
            return {"type": "function", "name": choice.name}
        report.dropped("tool_choice", f"the tool {choice.name} is not sent to the provider")
        return None
    if choice.allowed:
        allowed = [{"type": "function", "name": name} for name in choice.allowed]
        return {"type": "allowed_tools", "mode": CHOICE_WORDS.get(choice.mode, "auto"), "tools": allowed}
    return CHOICE_WORDS.get(choice.mode)


def text_format(form: content_pb2.ResponseFormat) -> Body | None:
    """The form of the answer; None for text."""
    kind = form.WhichOneof("kind")
    if kind == "json_object":
        return {"type": "json_object"}
    if kind != "json_schema":
        return None
    schema = form.json_schema
    written: Body = {
        "type": "json_schema",
        "name": schema.name or "answer",
        "schema": parsed(schema.schema_json, "response_format.json_schema.schema_json"),
    }
    if schema.description:
        written["description"] = schema.description
    if schema.HasField("strict"):
        written["strict"] = schema.strict
    return written


def shorten_tool_names(body: Body, translations: list[generate_pb2.Translation]) -> Mapping[str, str]:
    """Shortens names that are too long for the provider, wherever they stand; gives the whole names by the short ones."""
    names = ToolNames(LONGEST_TOOL_NAME)
    choice = body.get("tool_choice")
    chosen = [choice, *choice.get("tools", ())] if isinstance(choice, dict) else []
    for each in (*body.get("tools", ()), *chosen, *body["input"]):
        if each.get("type") in {"function", "function_call"} and isinstance(each.get("name"), str):
            each["name"] = names.short(each["name"])
    if names.whole:
        report = Report()
        report.renamed("tools", f"names of more than {LONGEST_TOOL_NAME} characters are shortened until the answer comes")
        translations.extend(report.translations)
    return names.whole
