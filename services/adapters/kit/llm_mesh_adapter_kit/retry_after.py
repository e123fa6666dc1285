"""How long a provider wants to be left alone, in all the forms in which providers say it.

`Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), `retry-after-ms`; of a rate limit also the headers that say when it
holds no more: OpenAI's `x-ratelimit-reset-*` (`1m30s`, `120ms`; seconds or a moment at other servers), Anthropic's
`anthropic-ratelimit-*-reset` (RFC 3339), and the plain `x-ratelimit-reset` and `ratelimit-reset`.
"""

from __future__ import annotations

import email.utils
import math
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime

_LONGEST = 24 * 3600.0
_RATE_LIMITED = 429
_RESETS = (
    ("x-ratelimit-reset-requests", "x-ratelimit-remaining-requests"),
    ("x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"),
    ("anthropic-ratelimit-requests-reset", "anthropic-ratelimit-requests-remaining"),
    ("anthropic-ratelimit-tokens-reset", "anthropic-ratelimit-tokens-remaining"),
    ("anthropic-ratelimit-input-tokens-reset", "anthropic-ratelimit-input-tokens-remaining"),
    ("anthropic-ratelimit-output-tokens-reset", "anthropic-ratelimit-output-tokens-remaining"),
    ("x-ratelimit-reset", "x-ratelimit-remaining"),
    ("ratelimit-reset", "ratelimit-remaining"),
)
_SPAN = re.compile(r"(?:(\d{1,6}(?:\.\d{1,9})?)h)?(?:(\d{1,6}(?:\.\d{1,9})?)m)?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?")
_UNITS = (3600.0, 60.0, 1.0, 0.001)
_MOMENT = 1e9
"""Numbers above are moments since 1970, not spans: in seconds, or in milliseconds where they are a thousand times as large."""
_MOMENT_IN_MILLISECONDS = 1e11


def retry_after(headers: Mapping[str, str], status: int = 0) -> float | None:
    """Seconds to wait, at most a day; None where the provider does not say. Milliseconds win over seconds, both over resets."""
    wait = _scaled(_number(headers.get("retry-after-ms", "")), 0.001)
    if wait is None:
        wait = _wait(headers.get("retry-after", ""))
    if wait is None and status == _RATE_LIMITED:
        wait = _until_reset(headers)
    return None if wait is None else min(max(wait, 0.0), _LONGEST)


def _wait(text: str) -> float | None:
    number = _number(text)
    return _until(text) if number is None else number


def _until_reset(headers: Mapping[str, str]) -> float | None:
    """Until the limits that are used up hold no more. Where none says that it is: until the first of them does not."""
    resets = [(_reset(headers[name]), headers.get(remaining, "")) for name, remaining in _RESETS if name in headers]
    known = [(wait, remaining) for wait, remaining in resets if wait is not None]
    used_up = [wait for wait, remaining in known if _number(remaining) == 0]
    return max(used_up) if used_up else min([wait for wait, _ in known], default=None)


def _reset(text: str) -> float | None:
    number = _number(text)
    if number is not None:
        if number < _MOMENT:
            return number
        return number * (0.001 if number > _MOMENT_IN_MILLISECONDS else 1.0) - time.time()
    span = _SPAN.fullmatch(text.strip())
    if span is not None and text.strip():
        return sum(float(part) * unit for part, unit in zip(span.groups(), _UNITS, strict=True) if part)
    return _until(text)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _scaled(number: float | None, unit: float) -> float | None:
    return None if number is None else number * unit


def _until(moment: str) -> float | None:
    try:
        date = datetime.fromisoformat(moment)
    except ValueError:
        try:
            date = email.utils.parsedate_to_datetime(moment)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return ((date if date.tzinfo else date.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    except OverflowError:
        return None
