"""Price versions: immutable, in order, and which of them holds when."""

from __future__ import annotations

import re
from collections.abc import Iterable

from llm_mesh.registry.v1 import errors_pb2, registry_pb2
from llm_mesh_figures.money import MAX_PRICE
from llm_mesh_registry.domain.errors import RegistryError
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import NamePattern

PRICE = NamePattern("domains/{domain}/models/{model}/prices/{number}")

_CURRENCY = re.compile(r"[A-Z]{3}")
_LONGEST_SOURCE = 255
RATES = tuple(field.name for field in registry_pb2.Price.DESCRIPTOR.fields if field.name.endswith("_per_million"))
DEFAULT_RATES = {
    f"{name}_nanos_per_million": f"{default}_nanos_per_million"
    for name, default in (
        ("cached_input", "input"),
        ("cache_write", "input"),
        ("reasoning", "output"),
        ("audio_input", "input"),
        ("audio_output", "output"),
    )
}
"""What a component costs that a price leaves unset."""
_TERMS = ("currency", *RATES, "valid_until", "source")
_MICROS = 1_000


def rate_of(price: registry_pb2.Price | registry_pb2.PriceFloor, name: str) -> int:
    """One component of a price or of a least price, filled in where it is unset as the contract says."""
    default = DEFAULT_RATES.get(name)
    value: int = getattr(price, default if default is not None and not price.HasField(name) else name)
    return value


def checked_price(price: registry_pb2.Price, field: str) -> registry_pb2.Price:
    """The price, where all of it is of its documented form."""
    if _CURRENCY.fullmatch(price.currency) is None:
        raise invalid(f"{field}.currency", "must be three capital letters, such as USD")
    for rate in RATES:
        if not 0 <= getattr(price, rate) <= MAX_PRICE:
            raise invalid(f"{field}.{rate}", f"must be 0 to {MAX_PRICE}")
    if not 1 <= len(price.source.encode()) <= _LONGEST_SOURCE:
        raise invalid(f"{field}.source", f"must say in 1 to {_LONGEST_SOURCE} bytes where the figures are from")
    if price.HasField("valid_until") and price.valid_until.ToNanoseconds() <= price.valid_from.ToNanoseconds():
        raise invalid(f"{field}.valid_until", "must be after valid_from")
    return price


def begin_of(price: registry_pb2.Price, newest: registry_pb2.Price | None, now: int) -> int:
    """When a new price begins, in microseconds; PRICE_ORDER where that would change what was or will be charged."""
    begin = price.valid_from.ToNanoseconds() // _MICROS if price.HasField("valid_from") else now
    if newest is None:
        return begin
    earliest = max(now, newest.valid_from.ToNanoseconds() // _MICROS + 1)
    if not price.HasField("valid_from"):
        return earliest
    if begin < earliest:
        message = "a price begins neither in the past nor before an earlier version"
        raise RegistryError(errors_pb2.ERROR_REASON_PRICE_ORDER, message, field="price.valid_from", newest=newest.name)
    return begin


def same_terms(one: registry_pb2.Price, other: registry_pb2.Price) -> bool:
    """Whether two versions charge alike."""
    return all(
        getattr(one, name) == getattr(other, name) and (name not in _OPTIONAL or one.HasField(name) == other.HasField(name))
        for name in _TERMS
    )


_OPTIONAL = frozenset(field.name for field in registry_pb2.Price.DESCRIPTOR.fields if field.has_presence)


def in_force(prices: Iterable[registry_pb2.Price], now: int) -> registry_pb2.Price | None:
    """The newest price that holds now."""
    holding = [price for price in prices if holds(price, now)]
    return max(holding, key=_begins, default=None)


def holds(price: registry_pb2.Price, now: int) -> bool:
    """Whether the price version holds now, as far as it says so itself."""
    return _begins(price) <= now < _ends(price)


def next_change(prices: Iterable[registry_pb2.Price], now: int) -> int | None:
    """When another price holds next, in microseconds, as far as that is known."""
    moments = [moment for price in prices for moment in (_begins(price), _ends(price)) if now < moment < _NEVER]
    return min(moments, default=None)


_NEVER = 1 << 62


def _begins(price: registry_pb2.Price) -> int:
    return price.valid_from.ToNanoseconds() // _MICROS


def _ends(price: registry_pb2.Price) -> int:
    return price.valid_until.ToNanoseconds() // _MICROS if price.HasField("valid_until") else _NEVER
