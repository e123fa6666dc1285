"""Failures in the dialect: a `google.rpc.Status` in JSON, alone, or as the only item of a list.

Its details tell programs what the message tells people: https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_SECONDS: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s")


_TYPE: Final = "type.googleapis.com/google.rpc."
_SERVER_ERROR: Final = 500
_STATUSES: Final[Mapping[int, str]] = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@dataclass(frozen=True, slots=True)
class GeminiErrorBody:
    """What a server said; empty where it did not say."""

    message: str = ""
    status: str = ""
    """A code of gRPC, such as `RESOURCE_EXHAUSTED`."""
    code: int = 0
    """The status of HTTP."""
    reason: str = ""
    """The reason of an `ErrorInfo`, such as `API_KEY_INVALID`."""
    field: str = ""
    """The field that is wrong."""
    retry_after: float | None = None
    """How long the server asks to wait, in seconds; None where it does not."""
    quota: str = ""
    """The id of the quota that is used up."""


def body(
    message: str, *, code: int, status: str, details: Sequence[Mapping[str, Any]], extras: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """An error body for a client. `extras` stand beside the message. The key `error` is the first, by which clients know it in streams."""
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if details:
        error["details"] = list(details)
    return {"error": {**error, **(extras or {})}}


def status_of(code: int) -> str:
    """The code of gRPC that stands for a status of HTTP."""
    return _STATUSES.get(code) or ("INTERNAL" if code >= _SERVER_ERROR else "INVALID_ARGUMENT")


def error_info(reason: str, domain: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    """Why a request failed, in the words of `domain`."""
    return {"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": domain, **({"metadata": dict(metadata)} if metadata else {})}


def bad_request(field: str, description: str) -> dict[str, Any]:
    """Which field is wrong, and how."""
    return {"@type": f"{_TYPE}BadRequest", "fieldViolations": [{"field": field, "description": description}]}


def retry_info(seconds: float) -> dict[str, Any]:
    """How long to wait."""
    return {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{seconds:g}s"}


def quota_failure(quota: str, description: str) -> dict[str, Any]:
    """Which quota is used up."""
    return {"@type": f"{_TYPE}QuotaFailure", "violations": [{"quotaId": quota, "description": description}]}


def is_complaint(value: object) -> bool:
    """Whether an answer, or a frame of one, is a complaint."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return isinstance(value, dict) and isinstance(value.get("error"), dict | str) and "candidates" not in value


def complaint(value: object) -> GeminiErrorBody:
    """Reads an error body, whatever its shape."""
    value = value[0] if isinstance(value, list) and value else value
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, str):
        return GeminiErrorBody(message=error)
    if not isinstance(error, dict):
        return GeminiErrorBody()
    code = error.get("code")
    known: dict[str, Any] = {}
    for detail in _details(error):
        known |= _detail(detail)
    return GeminiErrorBody(_text(error.get("message")), _text(error.get("status")), code if type(code) is int else 0, **known)


def _details(error: dict[str, Any]) -> Iterator[dict[str, Any]]:
    details = error.get("details")
    for each in details if isinstance(details, list) else ():
        if isinstance(each, dict):
            yield each


def _detail(detail: dict[str, Any]) -> dict[str, Any]:
    kind = _text(detail.get("@type")).rpartition(".")[2]
    if kind == "ErrorInfo":
        return {"reason": _text(detail.get("reason"))}
    if kind == "RetryInfo":
        delay = _SECONDS.fullmatch(_text(detail.get("retryDelay")))
        return {} if delay is None else {"retry_after": float(delay[1])}
    for name, (items, key) in _VIOLATIONS.items():
        if kind == name:
            violations = detail.get(items)
            first = violations[0] if isinstance(violations, list) and violations else None
            return {("quota" if kind == "QuotaFailure" else "field"): _text(first.get(key))} if isinstance(first, dict) else {}
    return {}


_VIOLATIONS: Final = {"QuotaFailure": ("violations", "quotaId"), "BadRequest": ("fieldViolations", "field")}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
