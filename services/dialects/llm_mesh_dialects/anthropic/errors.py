"""Error bodies: `{"type": "error", "error": {"type", "message"}, "request_id"}`, the same in a stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_SERVER_ERROR: Final = 500
TYPES_OF_REQUESTS: Final = frozenset({"invalid_request_error", "request_too_large", "not_found_error"})
"""Types that say what is wrong with a request."""


@dataclass(frozen=True, slots=True)
class AnthropicErrorBody:
    """What a server said of a failure; empty where it did not say."""

    message: str = ""
    type: str = ""
    request_id: str = ""


def body(message: str, *, type: str, request_id: str = "", extras: Mapping[str, Any] | None = None) -> dict[str, Any]:  # noqa: A002 (the dialect's name)
    """An error body for a client. `extras` stand beside the message."""
    written: dict[str, Any] = {"type": "error", "error": {**(extras or {}), "type": type, "message": message}}
    return written | {"request_id": request_id} if request_id else written


def type_of(status: int) -> str:
    """The type of an error, as the dialect calls those of a status of HTTP."""
    return _TYPES.get(status) or ("api_error" if status >= _SERVER_ERROR else "invalid_request_error")


def complaint(value: object) -> AnthropicErrorBody:
    """Reads an error body, or an error event of a stream, whatever its shape."""
    if not isinstance(value, dict):
        return AnthropicErrorBody()
    error = value.get("error", value)
    number = _text(value.get("request_id"))
    if isinstance(error, str):
        return AnthropicErrorBody(message=error, request_id=number)
    if not isinstance(error, dict):
        return AnthropicErrorBody(request_id=number)
    return AnthropicErrorBody(_text(error.get("message")), _text(error.get("type")), number)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
