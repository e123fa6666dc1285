"""What providers of the dialect say when they fail, as reasons of adapters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.errors import AdapterError, Said, answered
from llm_mesh_adapter_kit.failures import of_status
from llm_mesh_dialects.anthropic import errors
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed

_REASONS: Final[Mapping[str, int]] = {
    "invalid_request_error": errors_pb2.ERROR_REASON_PROVIDER_REJECTED,
    "authentication_error": errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED,
    "permission_error": errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED,
    "billing_error": errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED,
    "not_found_error": errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND,
    "request_too_large": errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED,
    "rate_limit_error": errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED,
    "timeout_error": errors_pb2.ERROR_REASON_PROVIDER_ERROR,
    "api_error": errors_pb2.ERROR_REASON_PROVIDER_ERROR,
    "overloaded_error": errors_pb2.ERROR_REASON_PROVIDER_ERROR,
}
# An `invalid_request_error` says only in words what is wrong.
_WORDS: Final = (
    (
        re.compile(r"prompt is too long|input is too long|exceeds? (the )?(context|maximum context)|context window", re.IGNORECASE),
        errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED,
    ),
    (re.compile(r"content filtering policy|content policy", re.IGNORECASE), errors_pb2.ERROR_REASON_PROVIDER_FILTERED),
    (re.compile(r"credit balance|usage limits", re.IGNORECASE), errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED),
)
_EXHAUSTED: Final = re.compile(r"credit balance|usage limits|billing", re.IGNORECASE)


def of_answer(endpoint: str, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
    """The failure that an answer with an error status is."""
    try:
        complaint = errors.complaint(parsed(body)) if body else errors.AnthropicErrorBody()
    except DialectError:
        complaint = errors.AnthropicErrorBody()  # a proxy's page, most likely
    return of_status(endpoint, status, headers, _said(complaint), worded=_by_words(complaint), exhausted=_exhausted(complaint))


def of_event(endpoint: str, event: Mapping[str, Any]) -> AdapterError:
    """The failure that an error within a stream tells of."""
    complaint = errors.complaint(event)
    reason = _by_words(complaint) or _REASONS.get(complaint.type) or errors_pb2.ERROR_REASON_PROVIDER_ERROR
    said = _said(complaint)._replace(message=complaint.message or "an error within the stream")
    limited = reason == errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED
    return answered(reason, endpoint, status=0, said=said, exhausted=limited and _exhausted(complaint))


def _said(complaint: errors.AnthropicErrorBody) -> Said:
    """The dialect has no codes: its types stand for both."""
    return Said(complaint.message, complaint.type, complaint.type)


def _exhausted(complaint: errors.AnthropicErrorBody) -> bool:
    return complaint.type == "billing_error" or _EXHAUSTED.search(complaint.message[:2_000]) is not None


def _by_words(complaint: errors.AnthropicErrorBody) -> int:
    if complaint.type not in {"invalid_request_error", ""}:
        return 0
    return next((reason for pattern, reason in _WORDS if pattern.search(complaint.message)), 0)
