"""Rates of prices as options name them: `cache_write_1h=6`, `flex.input=0.05`, `model:NAME.input=1`, `1024x1024,high=167000`."""

from __future__ import annotations

from typing import cast

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.texts import money
from llm_mesh_figures.prices import RATES

_SUFFIX = "_nanos_per_million"
_TIER = "SERVICE_TIER_"
_MODEL = "model:"


_Rated = registry_pb2.Price | registry_pb2.PriceFloor


def put_rate(price: _Rated, option: str, *, flag: str = "--rate") -> None:
    """Sets one rate: of a price or of a least price, of a tier, or of another model in one answer."""
    name, _, words = option.partition("=")
    tier, dot, rate = name.rpartition(".")
    if f"{rate}{_SUFFIX}" not in RATES or not words:
        known = ", ".join(each.removesuffix(_SUFFIX) for each in RATES)
        raise CommandError(f"{flag} {option}: expected RATE=PRICE, with one of {known}", Exit.USAGE)
    setattr(_variant(price, tier, f"{flag} {option}") if dot else price, f"{rate}{_SUFFIX}", _nanos(price, words, f"{flag} {option}"))


def put_image(price: _Rated, option: str, *, flag: str = "--image") -> None:
    """Adds what images of one size and quality cost."""
    name, equals, words = option.rpartition("=")
    variant, dot, image = name.rpartition(".")
    size, _, quality = image.partition(",")
    if not equals or not words:
        raise CommandError(f"{flag} {option}: expected SIZE,QUALITY=PRICE, such as `1024x1024,high=167000`", Exit.USAGE)
    priced = _variant(price, variant, f"{flag} {option}") if dot else price
    priced.images.add(size=size, quality=quality, image_nanos_per_million=_nanos(price, words, f"{flag} {option}"))


def _variant(price: _Rated, words: str, option: str) -> registry_pb2.PriceVariant:
    """The price of a tier, or of another model in one answer; a new one where there is none yet."""
    if words.startswith(_MODEL) and words != _MODEL:
        model = words.removeprefix(_MODEL)
        return next((each for each in price.variants if each.upstream_model == model), None) or price.variants.add(upstream_model=model)
    known = {name.removeprefix(_TIER).lower(): number for name, number in generate_pb2.ServiceTier.items() if number}
    if words not in known:
        raise CommandError(f"{option}: expected a tier, one of {', '.join(known)}, or `{_MODEL}NAME`", Exit.USAGE)
    number = known[words]
    return next((each for each in price.variants if each.tier == number), None) or price.variants.add(
        tier=cast("generate_pb2.ServiceTier", number)
    )


def _nanos(price: _Rated, words: str, option: str) -> int:
    amount = money(words, price.currency)
    if amount.currency != price.currency:
        raise CommandError(f"{option}: expected all prices of a version in one currency", Exit.USAGE)
    return amount.nanos
