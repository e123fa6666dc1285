"""Names of functions that the provider would refuse, since they must begin with a letter or `_`: they get one until the answer comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.report import Report


def fitting_names(body: dict[str, Any], request: generate_pb2.GenerateInput, report: Report) -> Mapping[str, str]:
    """Renames what does not fit wherever the body has it; gives the whole names by those that the provider is sent."""
    names = {part.tool_call.name for message in request.messages for part in message.parts if part.WhichOneof("kind") == "tool_call"}
    names |= {tool.function.name for tool in request.tools if tool.WhichOneof("kind") == "function"}
    sent: dict[str, str] = {}
    for name in sorted(each for each in names if each[:1].isdigit() or each.startswith("-")):
        other = f"_{name}"
        while other in names or other in sent.values():
            other = f"_{other}"
        sent[name] = other
    if not sent:
        return {}
    for holder, key in _places(body):
        holder[key] = sent.get(holder[key], holder[key])
    report.renamed("tools", "names begin with a letter or _ until the answer comes")
    return {other: name for name, other in sent.items()}


def _places(body: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Every place of a name: what holds it, and under which key."""
    for content in body["contents"]:
        for part in content["parts"]:
            for key in ("functionCall", "functionResponse"):
                if key in part:
                    yield part[key], "name"
    for tool in body.get("tools", ()):
        for function in tool.get("functionDeclarations", ()):
            yield function, "name"
    allowed = body.get("toolConfig", {}).get("functionCallingConfig", {}).get("allowedFunctionNames", [])
    yield from ((allowed, index) for index in range(len(allowed)))
