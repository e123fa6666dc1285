"""What a response repeats of its request, with the dialect's words for what the request leaves open."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.extras import merged, parsed
from llm_mesh_dialects.report import Report
from llm_mesh_dialects.responses.tools_writing import text_format, tool_choice, tools
from llm_mesh_dialects.responses.vocabulary import DIALECT

_EXTRAS: Final = frozenset(
    {"metadata", "truncation", "service_tier", "max_tool_calls", "tool_choice", "text", "reasoning", "prompt_cache_retention"}
    | {"prompt_cache_options", "context_management", "moderation"}
)
"""Unmodelled keys of a request that its response has, too."""

Body = dict[str, Any]


def echo_of(request: generate_pb2.GenerateInput) -> Body:
    """The members of the response that say how it was asked."""
    report = Report()  # nothing leaves here: what cannot be said was told where the request was translated
    written = tools(request, report, own=True)
    choice = tool_choice(request.tool_choice, written, report)
    sampling = request.sampling
    own = {extra.key: parsed(extra.json) for extra in request.extras if extra.dialect == DIALECT and extra.key in _EXTRAS}
    echo: Body = {
        "instructions": _instructions(request),
        "max_output_tokens": request.max_output_tokens or None,
        "max_tool_calls": None,
        "metadata": {},
        "parallel_tool_calls": request.parallel_tool_calls if request.HasField("parallel_tool_calls") else True,
        "prompt_cache_key": request.prompt_cache_key or None,
        "reasoning": {"effort": request.reasoning.effort or None, "summary": None},
        "safety_identifier": request.end_user or None,
        "service_tier": "default",
        "temperature": sampling.temperature if sampling.HasField("temperature") else 1.0,
        "text": {"format": text_format(request.response_format) or {"type": "text"}},
        "tool_choice": "auto" if choice is None else choice,
        "tools": written,
        "top_logprobs": request.logprobs.top,
        "top_p": sampling.top_p if sampling.HasField("top_p") else 1.0,
        "truncation": "disabled",
    }
    for key, value in own.items():
        echo[key] = merged(echo[key], value) if isinstance(echo.get(key), dict) and isinstance(value, dict) else value
    return echo


def _instructions(request: generate_pb2.GenerateInput) -> str | None:
    if not request.messages or request.messages[0].role != content_pb2.ROLE_SYSTEM:
        return None
    return "".join(part.text.text for part in request.messages[0].parts) or None
