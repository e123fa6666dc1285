"""What a price says of everything that can be billed: of prices, of least prices and of their variants alike.

A price is compared with another one component by component. A component is a rate of the price itself, an image of one size and quality,
or either of these in a variant. What a price does not say of a component follows from what it says, as the contract has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.registry.v1 import registry_pb2

_SUFFIX = "_nanos_per_million"
RATES: Final = tuple(field.name for field in registry_pb2.Price.DESCRIPTOR.fields if field.name.endswith(_SUFFIX))
"""The rates of a price, as fields of its message; variants and least prices have the same ones."""
DEFAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        f"{name}{_SUFFIX}": f"{default}{_SUFFIX}"
        for default, names in {
            "input": ("cached_input", "cache_write", "audio_input", "image_input"),
            "output": ("reasoning", "audio_output", "image_output"),
            "cache_write": ("cache_write_5m", "cache_write_30m", "cache_write_1h", "cache_write_12h"),
        }.items()
        for name in names
    }
)
"""Which rate holds where one is unset."""
STANDARD: Final = generate_pb2.SERVICE_TIER_STANDARD
_ANY = ("", "auto")

Rated: TypeAlias = registry_pb2.Price | registry_pb2.PriceFloor | registry_pb2.PriceVariant
Priced: TypeAlias = registry_pb2.Price | registry_pb2.PriceFloor
Size: TypeAlias = tuple[str, str]
"""Size and quality of an image."""


class Component(NamedTuple):
    """One thing that has a price."""

    rate: str = ""
    """The field of the rate. Empty: an image."""
    image: Size = ("", "")
    tier: int = 0
    upstream_model: str = ""

    def __str__(self) -> str:
        """As a path in the price."""
        name = self.rate or f"images[{','.join(self.image)}]"
        if not (self.tier or self.upstream_model):
            return name
        tier = generate_pb2.ServiceTier.Name(self.tier).removeprefix("SERVICE_TIER_") if self.tier else ""
        return f"variants[{','.join(filter(None, (tier, self.upstream_model)))}].{name}"


def rate_of(rated: Rated, rate: str) -> int:
    """One rate, filled in where it is unset as the contract says."""
    default = DEFAULTS.get(rate)
    if default is not None and not rated.HasField(rate):
        return rate_of(rated, default)
    value: int = getattr(rated, rate)
    return value


def image_rate(images: Iterable[registry_pb2.ImagePrice], size: str, quality: str) -> int:
    """What one image costs. Where that is not known, as much as the dearest that may be meant."""
    rates = {(each.size, each.quality): each.image_nanos_per_million for each in images}
    return image_rate_in(rates, size, quality) if rates else 0


def image_rate_in(rates: Mapping[Size, int], size: str, quality: str) -> int:
    """The same, of prices by size and quality. At least one."""
    meant = [each for each in rates if _meant(each[0], size) and _meant(each[1], quality)]
    for place, value in enumerate((size, quality)):
        own = [each for each in meant if each[place] == value]
        meant = own if own and value not in _ANY else meant
    return max(rates[each] for each in meant or rates)


def components(*prices: Priced) -> Sequence[Component]:
    """Everything that one of the prices says something of, each once."""
    result: dict[Component, None] = {}
    places = {(0, "")} | {(each.tier, each.upstream_model) for price in prices for each in price.variants}
    rated: list[Rated] = [each for price in prices for each in (price, *price.variants)]
    images = {(image.size, image.quality) for each in rated for image in each.images}
    for tier, upstream_model in sorted(places):
        result.update({Component(rate, ("", ""), tier, upstream_model): None for rate in RATES})
        result.update({Component("", image, tier, upstream_model): None for image in sorted(images)})
    return tuple(result)


def figure(price: Priced, component: Component) -> int:
    """What a price says of a component."""
    rated = variant_of(price, component.tier, component.upstream_model)
    return rate_of(rated, component.rate) if component.rate else image_rate(rated.images, *component.image)


def variant_of(price: Priced, tier: int, upstream_model: str) -> Rated:
    """Which part of a price holds for a tier and a model."""
    if not price.variants:
        return price
    tier = 0 if tier == STANDARD else tier
    by_place = {(each.tier, each.upstream_model): each for each in price.variants}
    for place in ((tier, upstream_model), (0, upstream_model), (tier, "")):
        if place != (0, "") and place in by_place:
            return by_place[place]
    return price


def exceeds(price: Priced, other: Priced) -> Component | None:
    """The first component in which a price is above another one. None: in none."""
    return next((each for each in components(price, other) if figure(price, each) > figure(other, each)), None)


def _meant(listed: str, value: str) -> bool:
    return value in _ANY or listed in ("", value)
