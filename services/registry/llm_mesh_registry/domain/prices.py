"""Price versions: immutable, in order, and which of them holds when."""

from __future__ import annotations

import re
from collections.abc import Iterable

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.registry.v1 import errors_pb2, registry_pb2
from llm_mesh_figures.money import MAX_PRICE
from llm_mesh_figures.prices import RATES, Priced, Rated
from llm_mesh_registry.domain.errors import RegistryError
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import NamePattern

PRICE = NamePattern("domains/{domain}/models/{model}/prices/{number}")

_CURRENCY = re.compile(r"[A-Z]{3}")
_LONGEST_SOURCE = 255
CHARGED = ("currency", *RATES, "images", "variants")
"""Fields of a price by which requests are charged."""
_TERMS = (*CHARGED, "valid_until", "source")
_MICROS = 1_000
_MOST_IMAGES = 256
_MOST_VARIANTS = 64
_LONGEST_SIZE = 32
_LONGEST_MODEL = 255
_TIERS = frozenset(generate_pb2.ServiceTier.values()) - {generate_pb2.SERVICE_TIER_STANDARD}


def checked_price(price: registry_pb2.Price, field: str) -> registry_pb2.Price:
    """The price, where all of it is of its documented form."""
    if _CURRENCY.fullmatch(price.currency) is None:
        raise invalid(f"{field}.currency", "must be three capital letters, such as USD")
    check_figures(price, field)
    if not 1 <= len(price.source.encode()) <= _LONGEST_SOURCE:
        raise invalid(f"{field}.source", f"must say in 1 to {_LONGEST_SOURCE} bytes where the figures are from")
    if price.HasField("valid_until") and price.valid_until.ToNanoseconds() <= price.valid_from.ToNanoseconds():
        raise invalid(f"{field}.valid_until", "must be after valid_from")
    return price


def check_figures(price: Priced, field: str) -> None:
    """Raises where a figure of a price, or of a least one, is not of its documented form."""
    _check_rated(price, field)
    if len(price.variants) > _MOST_VARIANTS:
        raise invalid(f"{field}.variants", f"must be at most {_MOST_VARIANTS}")
    seen: set[tuple[int, str]] = set()
    for index, variant in enumerate(price.variants):
        place = f"{field}.variants[{index}]"
        if variant.tier not in _TIERS:
            raise invalid(f"{place}.tier", "must be PRIORITY, FLEX or BATCH, or unset")
        if len(variant.upstream_model.encode()) > _LONGEST_MODEL:
            raise invalid(f"{place}.upstream_model", f"must be at most {_LONGEST_MODEL} bytes")
        key = (int(variant.tier), variant.upstream_model)
        if key == (0, "") or key in seen:
            raise invalid(place, "must have a tier or an upstream model, each pair once")
        seen.add(key)
        _check_rated(variant, place)


def _check_rated(rated: Rated, field: str) -> None:
    for rate in RATES:
        if not 0 <= getattr(rated, rate) <= MAX_PRICE:
            raise invalid(f"{field}.{rate}", f"must be 0 to {MAX_PRICE:,}")
    if len(rated.images) > _MOST_IMAGES:
        raise invalid(f"{field}.images", f"must be at most {_MOST_IMAGES}")
    seen: set[tuple[str, str]] = set()
    for index, image in enumerate(rated.images):
        place = f"{field}.images[{index}]"
        if not 0 <= image.image_nanos_per_million <= MAX_PRICE:
            raise invalid(f"{place}.image_nanos_per_million", f"must be 0 to {MAX_PRICE:,}")
        for name in ("size", "quality"):
            if len(getattr(image, name).encode()) > _LONGEST_SIZE:
                raise invalid(f"{place}.{name}", f"must be at most {_LONGEST_SIZE} bytes")
        if (image.size, image.quality) in seen:
            raise invalid(place, "must have each pair of size and quality once")
        seen.add((image.size, image.quality))


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
