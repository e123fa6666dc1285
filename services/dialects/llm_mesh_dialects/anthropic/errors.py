"""Error bodies: `{"type": "error", "error": {"type", "message"}, "request_id"}`, the same in a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a server said of a failure; empty where it did not say."""

    message: str = ""
    type: str = ""
    request_id: str = ""


def body(message: str, *, type: str, request_id: str = "") -> dict[str, Any]:  # noqa: A002 (the dialect's name)
    """An error body for a client."""
    written: dict[str, Any] = {"type": "error", "error": {"type": type, "message": message}}
    return written | {"request_id": request_id} if request_id else written


def complaint(value: object) -> Complaint:
    """Reads an error body, or an error event of a stream, whatever its shape."""
    if not isinstance(value, dict):
        return Complaint()
    error = value.get("error", value)
    number = _text(value.get("request_id"))
    if isinstance(error, str):
        return Complaint(message=error, request_id=number)
    if not isinstance(error, dict):
        return Complaint(request_id=number)
    return Complaint(_text(error.get("message")), _text(error.get("type")), number)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
