"""What the library raised, as the status and body of an answer: by its own status where it has one, else by what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import orjson

from llm_mesh_adapter_longtail.child.egress import EgressRefusedError

_BY_NAME: Final = (
    (re.compile("Authentication|PermissionDenied|MissingApiKey"), 401),
    (re.compile("InsufficientFunds"), 402),
    (re.compile("NotFound"), 404),
    (re.compile("RateLimit"), 429),
    (re.compile("ContextWindow|ContextLength|UnsupportedParam|InvalidRequest|BadRequest|ContentPolicy|ContentFilter"), 400),
    (re.compile("Timeout"), 504),
    (re.compile("Connection|Unavailable"), 503),
)
_CLIENT_ERROR: Final = 400
_LAST_ERROR: Final = 599
_ERROR: Final = 500
_NOT_IMPLEMENTED: Final = 501
_LONGEST: Final = 2_000
_DEEPEST: Final = 8
EGRESS_REFUSED: Final = "egress_refused"
"""The type of a failure that the guard caused."""


def failure(error: BaseException) -> tuple[dict[str, Any], bytes]:
    """Head and body."""
    refused = next((each for each in _chain(error) if isinstance(each, EgressRefusedError)), None)
    kind = EGRESS_REFUSED if refused is not None else type(error).__name__
    status = _NOT_IMPLEMENTED if isinstance(error, NotImplementedError) else _status(error)
    body = {"error": {"message": str(refused or error)[:_LONGEST], "type": kind, "code": str(status)}}
    return {"status": status, "headers": _headers(error)}, orjson.dumps(body, default=str)


def _status(error: BaseException) -> int:
    named = next((status for pattern, status in _BY_NAME if pattern.search(type(error).__name__)), 0)
    status = next((own for each in _chain(error) if (own := _own_status(each))), 0)
    # An error of this side has no status of its own; a name that says more than 500 is believed before it.
    return named if named and status in {0, _ERROR} else status or _ERROR


def _own_status(error: BaseException) -> int:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) and _CLIENT_ERROR <= status <= _LAST_ERROR else 0


def _headers(error: BaseException) -> dict[str, str]:
    """When to come again, where the provider said so."""
    for each in _chain(error):
        headers = getattr(getattr(each, "response", None), "headers", None) or {}
        for name in ("retry-after", "retry-after-ms"):
            value = headers.get(name) if hasattr(headers, "get") else None
            if isinstance(value, str) and value.isascii() and value.isprintable():
                return {name: value[:64]}
    return {}


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came of."""
    seen: BaseException | None = error
    for _ in range(_DEEPEST):
        if seen is None:
            return
        yield seen
        seen = getattr(seen, "original_exception", None) or seen.__cause__ or seen.__context__
