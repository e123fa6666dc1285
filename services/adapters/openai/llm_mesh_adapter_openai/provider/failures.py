"""What servers of the dialect mean by their errors. Statuses say little, codes differ, messages are the last resort."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import orjson

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.errors import AdapterError, Said, answered, malformed
from llm_mesh_adapter_kit.failures import of_status
from llm_mesh_dialects import openai
from llm_mesh_dialects.openai.errors import OpenAIErrorBody

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
    "invalid_prompt": errors_pb2.ERROR_REASON_PROVIDER_REJECTED,
    "data_residency_mismatch": errors_pb2.ERROR_REASON_PROVIDER_REJECTED,
    "bio_policy": errors_pb2.ERROR_REASON_PROVIDER_FILTERED,
    "cyber_policy": errors_pb2.ERROR_REASON_PROVIDER_FILTERED,
    "misalignment_policy_violation": errors_pb2.ERROR_REASON_PROVIDER_FILTERED,
    "image_content_policy_violation": errors_pb2.ERROR_REASON_PROVIDER_FILTERED,
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
_EXHAUSTED: Final = re.compile(r"insufficient[_ ](quota|balance|credits?)|billing|exceeded your current quota", re.IGNORECASE)
_STATUS: Final = re.compile(r"[1-9]\d\d")


def of_answer(endpoint: str, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
    """The failure that an answer stands for. With status 200 it is one that holds an error, or is none at all."""
    try:
        complaint = openai.errors.complaint(orjson.loads(body))
    except orjson.JSONDecodeError:
        complaint = OpenAIErrorBody(message="" if b"<" in body[:256] else body[:512].decode("utf-8", "replace"))
    if status == _OK:
        empty = not complaint.message and not complaint.code
        return malformed(endpoint, "no answer of the dialect") if empty else of_complaint(endpoint, complaint)
    return _of_status(endpoint, status, headers, complaint)


def of_complaint(endpoint: str, complaint: OpenAIErrorBody) -> AdapterError:
    """An error that came with status 200: in the body, or in the middle of a stream."""
    if _STATUS.fullmatch(complaint.code):  # OpenRouter's codes are statuses
        return _of_status(endpoint, int(complaint.code), {}, complaint)
    reason = _worded(complaint) or errors_pb2.ERROR_REASON_PROVIDER_ERROR
    limited = reason == errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED
    return answered(reason, endpoint, status=0, said=_said(complaint), exhausted=limited and _exhausted(complaint))


def _of_status(endpoint: str, status: int, headers: Mapping[str, str], complaint: OpenAIErrorBody) -> AdapterError:
    return of_status(endpoint, status, headers, _said(complaint), worded=_worded(complaint), exhausted=_exhausted(complaint))


def _said(complaint: OpenAIErrorBody) -> Said:
    return Said(complaint.message, complaint.code or complaint.type, complaint.type, complaint.param)


def _worded(complaint: OpenAIErrorBody) -> int:
    """What the words mean: the code, else the type, else the message."""
    named = _CODES.get(complaint.code.lower()) or _CODES.get(complaint.type.lower())
    return named or next((reason for pattern, reason in _MESSAGES if pattern.search(complaint.message[:2_000])), 0)


def _exhausted(complaint: OpenAIErrorBody) -> bool:
    return any(_EXHAUSTED.search(text[:2_000]) for text in (complaint.code, complaint.type, complaint.message))
