"""What the provider says when it fails, in answers and within streams, as reasons of adapters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.errors import AdapterError, Said, answered
from llm_mesh_adapter_kit.failures import of_status
from llm_mesh_dialects.bedrock import errors
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed

_ERROR: Final = errors_pb2.ERROR_REASON_PROVIDER_ERROR
_LIMITED: Final = errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED
_REJECTED: Final = errors_pb2.ERROR_REASON_PROVIDER_REJECTED
_ACCOUNT: Final = errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED
_NO_MODEL: Final = errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND
REASONS: Final[Mapping[str, int]] = {
    "AccessDeniedException": _ACCOUNT,
    "ExpiredTokenException": _ACCOUNT,
    "IncompleteSignatureException": _ACCOUNT,
    "InvalidSignatureException": _ACCOUNT,
    "MissingAuthenticationTokenException": _ACCOUNT,
    "UnrecognizedClientException": _ACCOUNT,
    "ThrottlingException": _LIMITED,
    "ServiceQuotaExceededException": _LIMITED,
    "ModelNotReadyException": _LIMITED,
    "ResourceNotFoundException": _NO_MODEL,
    "ValidationException": _REJECTED,
    "ConflictException": _REJECTED,
    "InternalServerException": _ERROR,
    "ModelErrorException": _ERROR,
    "ModelStreamErrorException": _ERROR,
    "ModelTimeoutException": _ERROR,
    "ServiceUnavailableException": _ERROR,
}
# A `ValidationException` says only in words what is wrong.
_WORDS: Final = (
    (
        re.compile(
            r"input is too long|prompt is too long|too many (input )?tokens|context (limit|window|length)|maximum context", re.IGNORECASE
        ),
        errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED,
    ),
    (
        re.compile(
            r"model identifier is invalid|throughput isn.t supported|model .{0,80}(not found|is not supported|end of its life)",
            re.IGNORECASE,
        ),
        _NO_MODEL,
    ),
    (re.compile(r"content filter|content policy|blocked by", re.IGNORECASE), errors_pb2.ERROR_REASON_PROVIDER_FILTERED),
)
_EXHAUSTED: Final = re.compile(r"tokens per day|quota", re.IGNORECASE)
_SHOWN: Final = 2_000


def of_answer(endpoint: str, status: int, headers: Mapping[str, str], body: bytes) -> AdapterError:
    """What an answer means whose status is not 200."""
    try:
        value = parsed(body)
    except DialectError:
        value = body[:_SHOWN].decode("utf-8", "replace")
    complaint = errors.complaint(value if isinstance(value, dict) else {"message": str(value)}, headers.get("x-amzn-errortype", ""))
    return of_status(endpoint, status, headers, _words(complaint), worded=_reason(complaint), exhausted=_exhausted(complaint))


def of_event(endpoint: str, kind: str, value: Any) -> AdapterError:  # noqa: ANN401 (JSON)
    """What a failure within a stream means."""
    complaint = errors.complaint(value, kind)
    reason = _reason(complaint) or _ERROR
    words = _words(complaint)._replace(message=complaint.message or "an error within the stream")
    return answered(reason, endpoint, status=0, said=words, exhausted=reason == _LIMITED and _exhausted(complaint))


def _reason(complaint: errors.Complaint) -> int:
    reason = REASONS.get(complaint.type, 0)
    if reason not in {0, _REJECTED}:
        return reason
    return next((worded for pattern, worded in _WORDS if pattern.search(complaint.message[:_SHOWN])), reason)


def _words(complaint: errors.Complaint) -> Said:
    """The dialect has no codes: its types stand for both."""
    return Said(complaint.message, complaint.type, complaint.type)


def _exhausted(complaint: errors.Complaint) -> bool:
    return complaint.type == "ServiceQuotaExceededException" or _EXHAUSTED.search(complaint.message[:_SHOWN]) is not None
