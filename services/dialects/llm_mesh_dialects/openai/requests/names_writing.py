"""Shortens the names of tools wherever a body has them: at the tools, the choice and the calls of earlier turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.openai.names import ToolNames
from llm_mesh_dialects.openai.quirks import OpenAIQuirks
from llm_mesh_dialects.report import Report


def shorten_tool_names(body: dict[str, Any], quirks: OpenAIQuirks, translations: list[generate_pb2.Translation]) -> Mapping[str, str]:
    """Shortens what is too long for the server; gives the whole names by the short ones."""
    if "tools" not in body:
        return {}
    names = ToolNames(quirks.longest_tool_name)
    for function in _functions(body):
        function["name"] = names.short(function["name"])
    if names.whole:
        report = Report()
        report.renamed("tools", f"names of more than {quirks.longest_tool_name} characters are shortened until the answer comes")
        translations.extend(report.translations)
    return names.whole


def _functions(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    choice = body.get("tool_choice")
    named = [choice] if isinstance(choice, dict) else []
    if named and isinstance(choice, dict):
        named += choice.get("allowed_tools", {}).get("tools", [])
    calls = [call for message in body["messages"] for call in message.get("tool_calls", ())]
    for each in (*body.get("tools", ()), *named, *calls):
        function = each.get("function")
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            yield function
