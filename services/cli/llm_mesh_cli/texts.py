"""Times and amounts, as people write and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_figures.money import NANO, text

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

_DURATION = re.compile(r"(\d+)(ms|s|m|h|d|w)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_AMOUNT = re.compile(r"\s*([0-9][0-9_,]*(?:\.[0-9]+)?|\.[0-9]+)\s*([A-Z]{3})?\s*")


def duration(words: str) -> timedelta:
    """`90s`, `24h`, `1d12h`."""
    parts = _DURATION.findall(words)
    if not parts or "".join(number + unit for number, unit in parts) != words:
        raise CommandError(f"{words!r} is no duration; expected such as 90s, 24h or 7d", Exit.USAGE)
    return timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))


def moment(words: str) -> datetime:
    """A time, or how long from now."""
    if _DURATION.match(words):
        return datetime.now(UTC) + duration(words)
    try:
        time = datetime.fromisoformat(words)
    except ValueError:
        raise CommandError(f"{words!r} is no time; expected such as 2027-01-01T00:00:00Z or 30d", Exit.USAGE) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def money(words: str, currency: str = "USD") -> resources_pb2.Money:
    """`25`, `0.15 USD`: exact, never through a float."""
    match = _AMOUNT.fullmatch(words)
    try:
        nanos = Decimal(match.group(1).replace("_", "").replace(",", "")) * NANO if match else Decimal("NaN")
    except InvalidOperation:
        nanos = Decimal("NaN")
    if match is None or nanos.is_nan() or nanos != int(nanos):
        raise CommandError(f"{words!r} is no amount; expected such as 25 or 0.15 USD, with at most nine decimals", Exit.USAGE)
    return resources_pb2.Money(currency=match.group(2) or currency, nanos=int(nanos))


def amount(value: resources_pb2.Money) -> str:
    """An amount for people."""
    return text(value.nanos, value.currency) if value.currency else text(value.nanos, "").strip()


def time_text(time: Timestamp) -> str:
    """A time for people, in UTC; empty where it is unset."""
    if not time.seconds and not time.nanos:
        return ""
    return time.ToDatetime(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def ago(words: str) -> datetime:
    """A time, or how long before now."""
    return datetime.now(UTC) - duration(words) if _DURATION.match(words) and "-" not in words else moment(words)


def per_million(nanos: int, currency: str = "") -> str:
    """A price per million units, for people."""
    return text(nanos, currency).strip()
