"""Failures in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`."""

from __future__ import annotations

import re

from llm_mesh_dialects.openai import errors
from llm_mesh_edge.domain.failures import Failure, named
from llm_mesh_edge.domain.headers import Headers

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}
_SERVER = 500
_CODES = {"budget_exceeded": "insufficient_quota"}
_NAMES = {
    "input.max_output_tokens": "max_completion_tokens",
    "input.candidate_count": "n",
    "input.logprobs.top": "top_logprobs",
    "input.items": "input",
    "input.end_user": "user",
}
_MEDIA = {"image": "image_url.url", "audio": "input_audio.data", "file": "file.file_data"}
_PART = re.compile(r"^(messages\[\d+\])\.parts(\[\d+\])\.?(?:(image|audio|file)\b.*|(.*))$")


def type_of(failure: Failure) -> str:
    """OpenAI's class of a failure."""
    if failure.code in _CODES:
        return _CODES[failure.code]
    return "server_error" if failure.status >= _SERVER else _TYPES.get(failure.status, "invalid_request_error")


def param_of(failure: Failure) -> str | None:
    """The field that is wrong."""
    return _PART.sub(_in_content, named(failure.param, _NAMES)) or None


def _in_content(part: re.Match[str]) -> str:
    """A part of the typed payload, where it stands in the content of a message."""
    message, index, medium, rest = part.groups()
    inner = _MEDIA[medium] if medium else rest or ""
    return f"{message}.content{index}" + (f".{inner}" if inner else "")


def shape(failure: Failure, headers: Headers) -> object:
    """The body."""
    del headers
    return errors.body(failure.message, type=type_of(failure), code=failure.code, param=param_of(failure))
