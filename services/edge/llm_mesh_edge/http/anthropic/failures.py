"""Failures in Anthropic's shape: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

The dialect has no place for the documented reason and the field: they stand beside the message, under the names that they have in
the OpenAI dialect.
"""

from __future__ import annotations

from llm_mesh_dialects.anthropic import errors
from llm_mesh_edge.domain.failures import Failure, named
from llm_mesh_edge.domain.headers import Headers

_CODES = {"budget_exceeded": "billing_error"}
_NAMES = {
    "input.max_output_tokens": "max_tokens",
    "input.stop": "stop_sequences",
    "input.end_user": "metadata.user_id",
    "input.response_format": "output_config.format",
}


def type_of(failure: Failure) -> str:
    """Anthropic's class of a failure."""
    return _CODES.get(failure.code) or errors.type_of(failure.status)


def extras_of(failure: Failure) -> dict[str, str]:
    """What the mesh tells beyond the dialect."""
    param = named(failure.param, _NAMES)
    return {"code": failure.code} | ({"param": param} if param else {})


def shape(failure: Failure, headers: Headers) -> object:
    """The body."""
    return errors.body(failure.message, type=type_of(failure), request_id=headers.request_id, extras=extras_of(failure))
