"""Error bodies: `{"error": {"message", "type", "param", "code"}}`, and the shapes that other servers use instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class OpenAIErrorBody:
    """What a server said of a failure; empty where it did not say."""

    message: str = ""
    type: str = ""
    code: str = ""
    param: str = ""


def body(
    message: str,
    *,
    type: str,  # noqa: A002 (the dialect's name)
    code: str | None = None,
    param: str | None = None,
    extras: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """An error body for a client. `extras` stand beside the dialect's own fields."""
    return {"error": {"message": message, "type": type, "param": param, "code": code, **(extras or {})}}


def is_complaint(value: object) -> bool:
    """Whether an answer with status 200, or an event of a stream, is an error body."""
    return isinstance(value, dict) and "choices" not in value and (bool(value.get("error")) or value.get("object") == "error")


def complaint(value: object) -> OpenAIErrorBody:
    """Reads an error body, or an error inside a stream, whatever its shape."""
    if isinstance(value, list) and value:  # Gemini wraps errors in a list
        value = value[0]
    if not isinstance(value, dict):
        return OpenAIErrorBody()
    error = value.get("error", value)
    if isinstance(error, str):  # Ollama and other small servers
        return OpenAIErrorBody(message=error, code=_text(value.get("code")), type=_text(value.get("type")))
    if not isinstance(error, dict):
        return OpenAIErrorBody()
    message = error.get("message") or error.get("detail") or error.get("msg")
    return OpenAIErrorBody(
        _text(message), _text(error.get("type") or error.get("status")), _text(error.get("code")), _text(error.get("param"))
    )


def _text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return ""
    return value if isinstance(value, str) else str(value)
