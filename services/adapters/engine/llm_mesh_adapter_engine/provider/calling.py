"""Which tools a request lets the model call, and how its answer will show the calls.

A call that must be made is forced by the engine's structured outputs, whatever model it is. A call that the model may make stands in its
text as its template taught it: the endpoint's `tool_parser` says how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from llm_mesh_adapter_engine.provider.reading import Calling
from llm_mesh_adapter_engine.provider.wire.values import JSON_SCHEMA, Constraint, Sampling
from llm_mesh_dialects.errors import DialectError

_NO_PARSER: Final = "the endpoint has no tool_parser that says how this model writes calls; force a call, or let the operator set it"
_ANY_OBJECT: Final[Mapping[str, Any]] = {"type": "object"}

Tools = Sequence[Mapping[str, Any]]


class CallPlan(NamedTuple):
    """How calls come about."""

    calling: Calling
    tools: Tools
    """Those that the template shows."""
    tool: str = ""
    constraint: Constraint | None = None


def call_plan(tools: Tools, choice: object, parser: str, *, one: bool) -> CallPlan:
    """`one`: at most one call at once."""
    if not tools or choice == "none":
        return CallPlan(Calling.NOT, ())
    if choice == "required":
        return CallPlan(Calling.LIST, tools, constraint=_schema(_listed(tools, one=one)))
    if isinstance(choice, dict):
        name = choice["function"]["name"]
        named = next((tool for tool in tools if tool["function"]["name"] == name), None)
        if named is None:
            raise DialectError("tool_choice.name", "expected one of the request's tools")
        return CallPlan(Calling.ARGUMENTS, tools, name, _schema(named["function"].get("parameters") or _ANY_OBJECT))
    if not parser:
        raise DialectError("tools", _NO_PARSER)
    return CallPlan(Calling.MARKED, tools)


def constrain(sampling: Sampling, plan: CallPlan) -> None:
    """A call that must be made is the form of the answer."""
    if plan.constraint is not None:
        if sampling.constraint is not None:
            raise DialectError("response_format", "a call that must be made has a form of its own: expected no other")
        sampling.constraint = plan.constraint


def _listed(tools: Tools, *, one: bool) -> Mapping[str, Any]:
    calls = [
        {
            "type": "object",
            "properties": {
                "name": {"enum": [tool["function"]["name"]]},
                "parameters": tool["function"].get("parameters") or _ANY_OBJECT,
            },
            "required": ["name", "parameters"],
        }
        for tool in tools
    ]
    return {"type": "array", "minItems": 1, **({"maxItems": 1} if one else {}), "items": {"anyOf": calls}}


def _schema(schema: Mapping[str, Any]) -> Constraint:
    return Constraint(JSON_SCHEMA, orjson.dumps(schema).decode())
