"""What servers of the dialect say of a failure: a `google.rpc.Status` in JSON, alone, or as the only item of a list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_SECONDS: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s")


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
