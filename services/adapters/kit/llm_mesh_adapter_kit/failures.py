"""What statuses of HTTP mean, the same in every dialect; a dialect looks closer where its bodies say more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.errors import AdapterError, failure

_LONGEST_WAIT = 3600.0
_REASONS: Mapping[int, tuple[int, str]] = {
    401: (errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED, "the provider refused the adapter's credential"),
    403: (errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED, "the provider refused the adapter's credential"),
    404: (errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND, "the provider does not know the model"),
    408: (errors_pb2.ERROR_REASON_PROVIDER_ERROR, "the provider took too long"),
    409: (errors_pb2.ERROR_REASON_PROVIDER_ERROR, "the provider has a conflict"),
    429: (errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED, "the provider's rate limit is reached"),
}

TARGETS_OWN = frozenset(
    {
        "PROVIDER_UNREACHABLE",
        "PROVIDER_RESET",
        "PROVIDER_TIMEOUT",
        "PROVIDER_ERROR",
        "PROVIDER_MALFORMED",
        "PROVIDER_UNAUTHENTICATED",
        "PROVIDER_MODEL_NOT_FOUND",
    }
)
"""Failures that speak against the target, so that its breaker counts them. A rate limit only says when to come back."""


def of_status(
    status: int, headers: Mapping[str, str], *, code: str = "", said: str = "", reason: int = 0, message: str = ""
) -> AdapterError:
    """The failure that a status stands for, or the given `reason` where the dialect knows better."""
    if not reason:
        reason, message = _REASONS.get(status, _by_class(status))
    retry_after = wait_of(headers) if status in {429, 503, 529} else None
    return failure(reason, message, sent=True, status=status, code=code, said=said, retry_after=retry_after)


def wait_of(headers: Mapping[str, str]) -> float | None:
    """How long the provider asks to wait, in seconds (RFC 9110, section 10.2.3; `retry-after-ms` of some SDKs)."""
    milliseconds, seconds = headers.get("retry-after-ms", ""), headers.get("retry-after", "")
    try:
        wait = float(milliseconds) / 1000 if milliseconds else float(seconds)
    except ValueError:
        try:
            wait = (parsedate_to_datetime(seconds) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(wait, 0.0), _LONGEST_WAIT) if wait == wait else None  # noqa: PLR0124 - not a number differs from itself


def _by_class(status: int) -> tuple[int, str]:
    if status >= 500:  # noqa: PLR2004 - server errors
        return errors_pb2.ERROR_REASON_PROVIDER_ERROR, f"the provider failed with status {status}"
    if status >= 400:  # noqa: PLR2004 - client errors
        return errors_pb2.ERROR_REASON_PROVIDER_REJECTED, "the provider refused the request"
    return errors_pb2.ERROR_REASON_PROVIDER_MALFORMED, f"the provider answered with status {status}"
