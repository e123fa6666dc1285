"""What providers of the dialect say when they fail, as reasons of adapters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.errors import AdapterError, answered
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
        re.compile(r"prompt is too long|exceeds? (the )?(context|maximum context)|context window", re.IGNORECASE),
        errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED,
    ),
    (re.compile(r"content filtering policy|content policy", re.IGNORECASE), errors_pb2.ERROR_REASON_PROVIDER_FILTERED),
    (re.compile(r"credit balance|usage limits", re.IGNORECASE), errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED),
)
_STATUSES: Final[Mapping[int, int]] = {
    402: errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED,  # no balance left
    413: errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED,
}


def of_answer(endpoint: str, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
    """The failure that an answer with an error status is; the status counts more than what the body calls itself."""
    try:
        said = errors.complaint(parsed(body)) if body else errors.Complaint()
    except DialectError:
        said = errors.Complaint()  # a proxy's page, most likely
    reason = _by_words(said) or _STATUSES.get(status, 0)
    return of_status(endpoint, status, headers, reason=reason, message=said.message, code=said.type)


def of_event(endpoint: str, event: Mapping[str, Any]) -> AdapterError:
    """The failure that an error within a stream tells of."""
    said = errors.complaint(event)
    reason = _by_words(said) or _REASONS.get(said.type) or errors_pb2.ERROR_REASON_PROVIDER_ERROR
    return answered(reason, endpoint, status=0, message=said.message or "an error within the stream", code=said.type)


def _by_words(said: errors.Complaint) -> int:
    if said.type not in {"invalid_request_error", ""}:
        return 0
    return next((reason for pattern, reason in _WORDS if pattern.search(said.message)), 0)
