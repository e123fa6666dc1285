"""Failures in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.

`code` is OpenAI's word where OpenAI has one, the provider's own where it speaks the dialect; the mesh's word stands beside it, in
`llm_mesh_code`.
"""

from __future__ import annotations

import re

from llm_mesh_dialects.openai import errors
from llm_mesh_edge.domain.failures import Failure, named, spoken
from llm_mesh_edge.domain.headers import Headers

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}
_SERVER = 500
_QUOTA = "insufficient_quota"
_CODES = {
    "missing_credential": "invalid_api_key",
    "invalid_credential": "invalid_api_key",
    "budget_exceeded": _QUOTA,
    "budget_closed": _QUOTA,
    "budget_required": _QUOTA,
    "limit_exceeded": "rate_limit_exceeded",
    "provider_rate_limited": "rate_limit_exceeded",
    "context_exceeded": "context_length_exceeded",
    "provider_filtered": "content_filter",
    "model_denied": "model_not_found",
}
"""OpenAI's words for the mesh's reasons."""
_OF_THE_PROVIDER = frozenset({"provider_rejected", "context_exceeded", "provider_filtered"})
"""Reasons about the request itself, for which the provider's own code says more."""
_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}(?<!_error)")
"""A code of OpenAI's. What ends in `_error` is a type, or another dialect's word."""
_NAMES = {
    "input.max_output_tokens": "max_completion_tokens",
    "input.candidate_count": "n",
    "input.logprobs.top": "top_logprobs",
    "input.items": "input",
    "input.reasoning.effort": "reasoning_effort",
    "input.tool_choice.name": "tool_choice.function.name",
    "input.response_format.json_schema.schema_json": "response_format.json_schema.schema",
    "input.end_user": "user",
}
_PARAMETERS = re.compile(r"^(tools\[\d+\](?:\.function\.parameters)?)(?:_json|\.opaque\.json)$")


def type_of(failure: Failure) -> str:
    """OpenAI's class of a failure."""
    if code_of(failure) == _QUOTA:
        return _QUOTA
    return "server_error" if failure.status >= _SERVER else _TYPES.get(failure.status, "invalid_request_error")


def code_of(failure: Failure) -> str:
    """OpenAI's word for a failure, or the mesh's where OpenAI has none."""
    provider = failure.provider
    if provider.exhausted and failure.code == "provider_rate_limited":
        return _QUOTA
    if failure.code in _OF_THE_PROVIDER and _WORD.fullmatch(provider.code):
        return provider.code
    return _CODES.get(failure.code, failure.code)


def extras_of(failure: Failure) -> dict[str, object]:
    """What the mesh tells beyond the dialect."""
    extras: dict[str, object] = {"llm_mesh_code": failure.code}
    receipt = failure.receipt()
    return extras | {"llm_mesh": receipt} if receipt or failure.charge is not None else extras


def param_of(failure: Failure) -> str | None:
    """The field that is wrong."""
    return _PARAMETERS.sub(r"\1", named(failure.param, _NAMES)) or None


def shape(failure: Failure, headers: Headers) -> object:
    """The body."""
    del headers
    param = param_of(failure)
    return errors.body(spoken(failure, param or ""), type=type_of(failure), code=code_of(failure), param=param, extras=extras_of(failure))
