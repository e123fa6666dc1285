"""Where a field of the typed input stands in a body of Google's dialect, in the spelling of that body."""

from __future__ import annotations

import re
from itertools import islice

from llm_mesh_dialects.gemini.requests import PartPlace, planned_messages, planned_tools
from llm_mesh_dialects.gemini.spelling import spelled
from llm_mesh_edge.domain.failures import named
from llm_mesh_edge.domain.places import Body, inner_part_of, part_of
from llm_mesh_edge.http.google.names import NAMES

_TOOL = re.compile(r"^input\.tools\[(\d+)\]\.?(.*)$")
_MEDIA = frozenset({"image", "audio", "file"})
_FIELDS = {
    "text": "text",
    "refusal": "text",
    "reasoning": "thoughtSignature",
    "tool_call": "functionCall",
    "tool_call.id": "functionCall.id",
    "tool_call.name": "functionCall.name",
    "tool_call.arguments_json": "functionCall.args",
    "tool_result": "functionResponse",
    "tool_result.tool_call_id": "functionResponse.id",
}
_OF_FUNCTION = {"parameters_json": "parametersJsonSchema"}
_WRAPPED = "generateContentRequest"


def place(field: str, body: Body) -> str:
    """The place of a field, in the body's own spelling."""
    inner = body.get(_WRAPPED) or body.get("generate_content_request")
    if isinstance(inner, dict):
        within = place(field, inner)
        return within if within == field else f"{spelled(_WRAPPED, body)}.{within}"
    tool = _TOOL.match(field)
    own_path = _tool(int(tool[1]), tool[2], dict(body)) if tool is not None else _part(field, dict(body))
    return spelled(own_path or named(field, NAMES), body)


def _part(field: str, body: dict[str, object]) -> str:
    part = part_of(field)
    if part is None:
        return ""
    number, index, rest = part
    message = next(islice(planned_messages(body), number, None), None)
    if message is None:
        return ""
    if index is None or index >= len(message.parts):
        return f"{PartPlace(message.contents[-1], 0).owner}.parts"
    own = message.parts[index].places[-1]
    holder = f"{own.owner}.parts[{own.number}]"
    within = _of_part(rest, holder, body)
    return f"{holder}.{within}" if within else holder


def _of_part(rest: str, holder: str, body: dict[str, object]) -> str:
    inner = inner_part_of(rest)
    if inner is not None:
        return _of_response(*inner, f"{holder}.functionResponse", body)
    kind = rest.partition(".")[0]
    if kind in _MEDIA:
        return _of_medium(rest, holder, body)
    return _FIELDS.get(rest) or _FIELDS.get(kind, "")


def _of_response(index: int | None, rest: str, holder: str, body: dict[str, object]) -> str:
    """A part of a result: its text is the response, and its media follow."""
    kind = rest.partition(".")[0]
    if index is None or kind not in _MEDIA:
        return "functionResponse.response"
    media = _at(f"{holder}.parts", body)
    number = index - 1 if isinstance(_at(f"{holder}.response", body), dict) else index
    if not isinstance(media, list) or not 0 <= number < len(media):
        return "functionResponse.parts"
    return f"functionResponse.parts[{number}].{_of_medium(rest, f'{holder}.parts[{number}]', body)}"


def _of_medium(rest: str, holder: str, body: dict[str, object]) -> str:
    whole = _at(f"{holder}.fileData", body) is not None
    name = rest.partition(".")[2]
    if whole:
        return {"mime_type": "fileData.mimeType", "filename": "fileData.displayName"}.get(name, "fileData.fileUri")
    return {"mime_type": "inlineData.mimeType", "filename": "inlineData.displayName", "data": "inlineData.data"}.get(name, "inlineData")


def _tool(number: int, rest: str, body: dict[str, object]) -> str:
    planned = next(islice(planned_tools(body), number, None), None)
    if planned is None:
        return ""
    tool, key, function = planned
    if function is None:
        return f"tools[{tool}].{key}"
    name = rest.removeprefix("function").removeprefix(".")
    holder = f"tools[{tool}].{key}[{function}]"
    own = _OF_FUNCTION.get(name, name)
    if own == "parametersJsonSchema" and _at(f"{holder}.parameters", body) is not None:
        own = "parameters"
    return f"{holder}.{own}" if own in {"name", "description", "parameters", "parametersJsonSchema"} else holder


def _at(path: str, body: object) -> object:
    """What stands at a path, in either spelling; None where nothing does."""
    for step in re.findall(r"[^.\[\]]+|\[\d+\]", spelled(path, body)):
        if step.startswith("["):
            number = int(step[1:-1])
            body = body[number] if isinstance(body, list) and number < len(body) else None
        else:
            body = body.get(step) if isinstance(body, dict) else None
    return body
