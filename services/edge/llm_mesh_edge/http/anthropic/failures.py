"""Failures in Anthropic's shape: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

The dialect has no place for the documented reason and the field: they stand beside the message, under the names that they have in
the OpenAI dialect.
"""

from __future__ import annotations

import re

from llm_mesh_dialects.anthropic import errors
from llm_mesh_edge.domain.failures import Failure, named, spoken
from llm_mesh_edge.domain.headers import Headers

_OVERLOADED = "overloaded_error"
_OF_THE_PROVIDER = frozenset({"provider_error", "provider_reset", "provider_unreachable", "all_attempts_failed"})
_BILLING = "billing_error"
_CODES = {"budget_exceeded": _BILLING, "budget_closed": _BILLING, "budget_required": _BILLING}
_OF_THE_REQUEST = frozenset({"provider_rejected", "context_exceeded", "provider_filtered"})
_NAMES = {
    "input.max_output_tokens": "max_tokens",
    "input.stop": "stop_sequences",
    "input.end_user": "metadata.user_id",
    "input.response_format.json_schema.schema_json": "output_config.format.schema",
    "input.response_format": "output_config.format",
    "input.reasoning.effort": "output_config.effort",
    "input.reasoning.budget_tokens": "thinking.budget_tokens",
}
_TOOL = (
    (re.compile(r"^(tools\[\d+\])\.function\.parameters_json$"), r"\1.input_schema"),
    (re.compile(r"^(tools\[\d+\])\.opaque\.json$"), r"\1"),
    (re.compile(r"^(tools\[\d+\])\.function\."), r"\1."),
)
"""A tool's fields stand in the tool itself."""


def type_of(failure: Failure) -> str:
    """Anthropic's class of a failure."""
    if failure.provider.exhausted:
        return _BILLING
    if failure.code in _OF_THE_REQUEST and failure.provider.type in errors.TYPES_OF_REQUESTS:
        return failure.provider.type  # the provider's own word, where it speaks the dialect
    if failure.code in _OF_THE_PROVIDER:
        return _OVERLOADED if failure.provider.type == _OVERLOADED else "api_error"
    return _CODES.get(failure.code) or errors.type_of(failure.status)


def param_of(failure: Failure) -> str:
    """The field that is wrong."""
    param = named(failure.param, _NAMES)
    for pattern, own in _TOOL:
        param = pattern.sub(own, param)
    return param


def extras_of(failure: Failure) -> dict[str, object]:
    """What the mesh tells beyond the dialect."""
    extras: dict[str, object] = {"code": failure.code, "llm_mesh_code": failure.code}
    if param := param_of(failure):
        extras["param"] = param
    receipt = failure.receipt()
    return extras | {"llm_mesh": receipt} if receipt or failure.charge is not None else extras


def shape(failure: Failure, headers: Headers) -> object:
    """The body."""
    return errors.body(spoken(failure, param_of(failure)), type=type_of(failure), request_id=headers.request_id, extras=extras_of(failure))
