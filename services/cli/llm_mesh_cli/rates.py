"""Rates and images of prices as options of commands name them: `cache_write_1h=6`, `flex.input=0.05`, `1024x1024,high=167000`."""

from __future__ import annotations

from typing import cast

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.texts import money
from llm_mesh_figures.prices import RATES

_SUFFIX = "_nanos_per_million"
_TIER = "SERVICE_TIER_"


def put_rate(price: registry_pb2.Price, option: str) -> None:
    """Sets one rate of a price, or of a tier of it."""
    name, _, words = option.partition("=")
    tier, dot, rate = name.rpartition(".")
    if f"{rate}{_SUFFIX}" not in RATES or not words:
        known = ", ".join(each.removesuffix(_SUFFIX) for each in RATES)
        raise CommandError(f"--rate {option}: expected RATE=PRICE, with one of {known}", Exit.USAGE)
    setattr(_of_tier(price, tier, option) if dot else price, f"{rate}{_SUFFIX}", _nanos(price, words, f"--rate {option}"))


def put_image(price: registry_pb2.Price, option: str) -> None:
    """Adds what images of one size and quality cost."""
    name, equals, words = option.rpartition("=")
    size, _, quality = name.partition(",")
    if not equals or not words:
        raise CommandError(f"--image {option}: expected SIZE,QUALITY=PRICE, such as `1024x1024,high=167000`", Exit.USAGE)
    price.images.add(size=size, quality=quality, image_nanos_per_million=_nanos(price, words, f"--image {option}"))


def _of_tier(price: registry_pb2.Price, tier: str, option: str) -> registry_pb2.PriceVariant:
    known = {name.removeprefix(_TIER).lower(): number for name, number in generate_pb2.ServiceTier.items() if number}
    if tier not in known:
        raise CommandError(f"--rate {option}: expected a tier, one of {', '.join(known)}", Exit.USAGE)
    number = known[tier]
    return next((each for each in price.variants if each.tier == number), None) or price.variants.add(
        tier=cast("generate_pb2.ServiceTier", number)
    )


def _nanos(price: registry_pb2.Price, words: str, option: str) -> int:
    amount = money(words, price.currency)
    if amount.currency != price.currency:
        raise CommandError(f"{option}: expected all prices of a version in one currency", Exit.USAGE)
    return amount.nanos
