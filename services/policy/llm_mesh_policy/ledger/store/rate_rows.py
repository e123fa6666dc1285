"""Rates of a quote as they stand in its row: arrays without names. Nearly all are the plain rates alone."""

from operator import attrgetter
from typing import Any

from llm_mesh_policy.ledger.domain.further_rates import SCALARS, FurtherRates
from llm_mesh_policy.ledger.domain.rates import PLAIN, Rates, Variant
from llm_mesh_policy.ledger.domain.units import NO_UNITS, Units

_PLAIN = attrgetter(*PLAIN)
_FURTHER = attrgetter(*SCALARS)


def stored_rates(rates: Rates, units: Units = NO_UNITS) -> Any:  # noqa: ANN401 (JSON)
    """The rates and the units that they bound."""
    if rates.plain and units is NO_UNITS:
        return _PLAIN(rates)
    variants = [[each.tier, each.upstream_model, stored_rates(each.rates)] for each in rates.variants]
    return [*_PLAIN(rates), _stored_further(rates.further), variants, list(units)]


def rates_in(stored: list[Any]) -> tuple[Rates, Units]:
    """What a row has."""
    plain = stored[: len(PLAIN)]
    if len(stored) == len(PLAIN):
        return _rates(plain), NO_UNITS
    further, variants, units = stored[len(PLAIN) :]
    made = tuple(Variant(tier, model, rates_in(rates)[0]) for tier, model, rates in variants)
    return _rates(plain, _further_in(further), made), Units(*units) if any(units) else NO_UNITS


def _stored_further(further: FurtherRates | None) -> list[Any] | None:
    if further is None:
        return None
    return [*_FURTHER(further), [[*size, rate] for size, rate in further.images.items()]]


def _further_in(stored: list[Any] | None) -> FurtherRates | None:
    if stored is None:
        return None
    scalars = dict(zip(SCALARS, stored[:-1], strict=True))
    return FurtherRates(**scalars, images={(size, quality): rate for size, quality, rate in stored[-1]})


def _rates(plain: list[int], further: FurtherRates | None = None, variants: tuple[Variant, ...] = ()) -> Rates:
    return Rates(**dict(zip(PLAIN, plain, strict=True)), further=further, variants=variants)
