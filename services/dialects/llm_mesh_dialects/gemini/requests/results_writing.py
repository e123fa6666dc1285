"""Results of tools, to responses of functions: the provider knows them by the function's name, and as a JSON object."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed
from llm_mesh_dialects.gemini import media
from llm_mesh_dialects.gemini.quirks import GeminiQuirks
from llm_mesh_dialects.plain import text_of
from llm_mesh_dialects.report import Report
from llm_mesh_dialects.unsaid import report_beside, report_unsaid

_OUTPUT: Final = "output"
_ERROR: Final = "error"
"""The names that the provider gives to what a function answers, and to what went wrong."""
_MEDIA: Final = frozenset({"image", "audio", "file"})


def function_response(result: content_pb2.ToolResult, name: str, quirks: GeminiQuirks, report: Report, path: str) -> dict[str, Any]:
    """The response, without its id."""
    texts: list[str] = []
    parts: list[dict[str, Any]] = []
    for index, part in enumerate(result.parts):
        field = f"{path}parts[{index}]."
        kind = part.WhichOneof("kind")
        report_beside(part, field, report)
        report_unsaid(part, kind, field, report, {})
        if part.text.annotations:
            report.dropped(f"{field}text.annotations", "sources are not sent back")
        if kind == "text":
            texts.append(part.text.text)
        elif kind in _MEDIA and quirks.media_in_results:
            parts.append(media.data_part(getattr(part, kind), kind, field, report))
        elif kind == "opaque" and (text := text_of(part.opaque)):
            report.approximated(f"{field}opaque", f"a {part.opaque.type} of the {part.opaque.dialect} dialect is sent as its text")
            texts.append(text)
        else:
            report.dropped(f"{field}{kind}", "the model takes no such part in the result of a tool")
    response: dict[str, Any] = {"name": name, "response": _object("\n".join(texts), failed=result.is_error)}
    if parts:
        response["parts"] = parts
    return response


def _object(text: str, *, failed: bool) -> dict[str, Any]:
    """An object as it is; anything else inside of one."""
    if failed:
        return {_ERROR: text}
    if text.lstrip().startswith("{"):
        try:
            value = parsed(text)
        except DialectError:
            value = None
        if isinstance(value, dict):
            return value
    return {_OUTPUT: text}
