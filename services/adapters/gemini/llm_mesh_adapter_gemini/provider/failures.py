"""What providers of the dialect say when they fail, as reasons of adapters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.errors import AdapterError, Said, answered
from llm_mesh_adapter_kit.failures import of_status
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed
from llm_mesh_dialects.gemini import errors

_BY_CODE: Final[Mapping[str, int]] = {
    "INVALID_ARGUMENT": errors_pb2.ERROR_REASON_PROVIDER_REJECTED,
    "FAILED_PRECONDITION": errors_pb2.ERROR_REASON_PROVIDER_REJECTED,
    "OUT_OF_RANGE": errors_pb2.ERROR_REASON_PROVIDER_REJECTED,
    "UNAUTHENTICATED": errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED,
    "PERMISSION_DENIED": errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED,
    "NOT_FOUND": errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND,
    "RESOURCE_EXHAUSTED": errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED,
}
_ACCOUNT: Final = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED", "SERVICE_DISABLED", "CONSUMER_INVALID"})
# An INVALID_ARGUMENT says only in words what is wrong.
_WORDS: Final = (
    (
        re.compile(r"exceeds? the maximum (number of )?tokens|input token count|context (window|length)|too many tokens", re.IGNORECASE),
        errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED,
    ),
    (re.compile(r"blocked by|safety polic|prohibited content|responsible ai", re.IGNORECASE), errors_pb2.ERROR_REASON_PROVIDER_FILTERED),
    (re.compile(r"api key (not valid|expired)|pass a valid api key", re.IGNORECASE), errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED),
)
_EXHAUSTED: Final = re.compile(r"per_?day|billing|free_tier|plan and billing", re.IGNORECASE)


def of_answer(endpoint: str, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
    """The failure that an answer with an error status is."""
    try:
        complaint = errors.complaint(parsed(body)) if body else errors.GeminiErrorBody()
    except DialectError:
        complaint = errors.GeminiErrorBody()  # a proxy's page, most likely
    error = of_status(endpoint, status, headers, _in_words(complaint), worded=_by_words(complaint), exhausted=_exhausted(complaint))
    if error.retry_after is None and complaint.retry_after is not None and error.reason == errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED:
        error.retry_after = complaint.retry_after
    return error


def of_complaint(endpoint: str, value: Any) -> AdapterError:  # noqa: ANN401 (JSON)
    """The failure that an error within a stream, or behind a status of 200, tells of."""
    complaint = errors.complaint(value)
    reason = _by_words(complaint) or _BY_CODE.get(complaint.status) or errors_pb2.ERROR_REASON_PROVIDER_ERROR
    message = complaint.message or "an error within the answer"
    limited = reason == errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED
    return answered(
        reason,
        endpoint,
        status=0,
        said=_in_words(complaint)._replace(message=message),
        retry_after=complaint.retry_after if limited else None,
        exhausted=limited and _exhausted(complaint),
    )


def of_block(endpoint: str, why: str) -> AdapterError:
    """The provider did not answer, since it does not like the prompt."""
    words = Said(f"the prompt was blocked: {why}", why.partition(":")[0], "prompt_feedback")
    return answered(errors_pb2.ERROR_REASON_PROVIDER_FILTERED, endpoint, status=0, said=words)


def _in_words(complaint: errors.GeminiErrorBody) -> Said:
    return Said(complaint.message, complaint.reason or complaint.status, complaint.status, complaint.field)


def _exhausted(complaint: errors.GeminiErrorBody) -> bool:
    return _EXHAUSTED.search(complaint.quota) is not None or _EXHAUSTED.search(complaint.message[:2_000]) is not None


def _by_words(complaint: errors.GeminiErrorBody) -> int:
    if complaint.reason in _ACCOUNT:
        return errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED
    if complaint.status not in {"INVALID_ARGUMENT", "FAILED_PRECONDITION", ""}:
        return 0
    return next((reason for pattern, reason in _WORDS if pattern.search(complaint.message)), 0)
