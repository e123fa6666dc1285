"""What servers of the dialect mean by their errors. Statuses say little, codes differ, messages are the last resort."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import orjson

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.errors import AdapterError, answered, malformed
from llm_mesh_adapter_kit.failures import of_status
from llm_mesh_dialects import openai
from llm_mesh_dialects.openai.errors import Complaint

_OK = 200
_CODES: Final[Mapping[str, int]] = {
    "context_length_exceeded": errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED,
    "exceed_context_size_error": errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED,  # llama.cpp
    "string_above_max_length": errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED,
    "content_filter": errors_pb2.ERROR_REASON_PROVIDER_FILTERED,
    "content_policy_violation": errors_pb2.ERROR_REASON_PROVIDER_FILTERED,
    "responsibleaipolicyviolation": errors_pb2.ERROR_REASON_PROVIDER_FILTERED,  # Azure
    "model_not_found": errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND,
    "deploymentnotfound": errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND,  # Azure
    "invalid_api_key": errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED,
    "rate_limit_exceeded": errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED,
    "insufficient_quota": errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED,
    "resource_exhausted": errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED,  # Gemini
    "server_error": errors_pb2.ERROR_REASON_PROVIDER_ERROR,
}
_MESSAGES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (r"(maximum|exceeds?)\b.{0,40}\bcontext|context (length|window|size)", errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED),
        (r"too many (input )?tokens|prompt is too long", errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED),
        (r"api key (is )?not valid|(invalid|incorrect) api key", errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED),
        (r"content (management )?policy|content filter", errors_pb2.ERROR_REASON_PROVIDER_FILTERED),
        (r"model\b.{0,80}\b(not found|does not exist)|no such model", errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND),
    )
)
_STATUSES: Final[Mapping[int, int]] = {
    402: errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED,  # OpenRouter and DeepSeek: no balance left
    498: errors_pb2.ERROR_REASON_PROVIDER_ERROR,  # Groq: no capacity
}
_ABOUT_THE_REQUEST = frozenset({400, 403, 404, 413, 422})


def of_answer(endpoint: str, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
    """The failure that an answer stands for. With status 200 it is one that holds an error, or is none at all."""
    try:
        said = openai.errors.complaint(orjson.loads(body))
    except orjson.JSONDecodeError:
        said = Complaint(message="" if b"<" in body[:256] else body[:512].decode("utf-8", "replace"))
    if status == _OK:
        return of_complaint(endpoint, said) if said.message or said.code else malformed(endpoint, "no answer of the dialect")
    reason = _named(said)
    if not reason and status in _ABOUT_THE_REQUEST:
        reason = _worded(said.message)
    return of_status(endpoint, status, headers, reason=reason or _STATUSES.get(status, 0), message=said.message, code=_code(said))


def of_complaint(endpoint: str, said: Complaint) -> AdapterError:
    """An error that came with status 200: in the body, or in the middle of a stream."""
    status = int(said.code) if said.code.isdecimal() and len(said.code) == 3 else 0  # noqa: PLR2004 (OpenRouter's codes are statuses)
    if status:
        return of_status(endpoint, status, {}, reason=_named(said) or _STATUSES.get(status, 0), message=said.message, code=said.code)
    reason = _named(said) or _worded(said.message) or errors_pb2.ERROR_REASON_PROVIDER_ERROR
    return answered(reason, endpoint, status=0, message=said.message, code=_code(said))


def _named(said: Complaint) -> int:
    return _CODES.get(said.code.lower()) or _CODES.get(said.type.lower()) or 0


def _worded(message: str) -> int:
    return next((reason for pattern, reason in _MESSAGES if pattern.search(message[:2_000])), 0)


def _code(said: Complaint) -> str:
    return said.code or said.type
