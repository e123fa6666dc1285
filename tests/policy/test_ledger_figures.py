"""Everything that a provider bills is charged at its own rate, and a reservation covers it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_figures.prices import RATES, STANDARD, components, exceeds, figure
from llm_mesh_policy.ledger.domain.plausible import counted_instead, impossible
from llm_mesh_policy.ledger.domain.quote import QuoteLine
from llm_mesh_policy.ledger.domain.rates import Rates
from llm_mesh_policy.ledger.domain.units import COUNTED, Units
from llm_mesh_policy.ledger.store.rate_rows import rates_in, stored_rates

MILLION = 10**6
COUNTS = st.integers(0, 5_000)
SIZES, QUALITIES, TIERS = ("", "1024x1024", "512x512"), ("", "low", "high"), (0, 2, 3, 4)
PRICED = st.dictionaries(st.sampled_from(RATES), st.integers(0, 10**9), max_size=6)
IMAGES = st.lists(
    st.builds(
        registry_pb2.ImagePrice,
        size=st.sampled_from(SIZES), quality=st.sampled_from(QUALITIES), image_nanos_per_million=st.integers(0, 10**9),
    ),
    max_size=4, unique_by=lambda each: (each.size, each.quality),
)  # fmt: skip
VARIANTS = st.lists(
    st.builds(
        lambda tier, model, rates, images: registry_pb2.PriceVariant(tier=tier, upstream_model=model, images=images, **rates),
        st.sampled_from(TIERS), st.sampled_from(("", "other")), PRICED, IMAGES,
    ),
    max_size=3, unique_by=lambda each: (each.tier, each.upstream_model),
).map(lambda variants: [each for each in variants if each.tier or each.upstream_model])  # fmt: skip
PRICES = st.builds(lambda rates, images, variants: registry_pb2.Price(images=images, variants=variants, **rates), PRICED, IMAGES, VARIANTS)
BOUNDS = st.builds(Units, COUNTS, st.sampled_from(SIZES), st.sampled_from(QUALITIES), COUNTS, COUNTS, COUNTS, COUNTS)


def usage(**fields: Any) -> generate_pb2.Usage:
    return generate_pb2.Usage(**fields)


def line(rates: Rates, tokens: int, units: Units) -> QuoteLine:
    return QuoteLine(
        "a", "x", "y", "z", "", "", "m", "p", "project", tokens, tokens, 1, rates.worst(tokens, tokens, units), rates, units=units
    )


@pytest.mark.parametrize(
    ("rate", "used"),
    [
        ("cache_write_5m", {"input_tokens": 7, "cache_write_input_tokens": 7, "cache_write_5m_input_tokens": 7}),
        ("cache_write_30m", {"input_tokens": 7, "cache_write_input_tokens": 7, "cache_write_30m_input_tokens": 7}),
        ("cache_write_1h", {"input_tokens": 7, "cache_write_input_tokens": 7, "cache_write_1h_input_tokens": 7}),
        ("cache_write_12h", {"input_tokens": 7, "cache_write_input_tokens": 7, "cache_write_12h_input_tokens": 7}),
        ("image_input", {"input_tokens": 7, "image_input_tokens": 7}),
        ("image_output", {"output_tokens": 7, "image_output_tokens": 7}),
        ("audio_input_second", {"audio_input_milliseconds": 7_000}),
        ("audio_output_second", {"audio_output_milliseconds": 7_000}),
        ("character", {"characters": 7}),
        ("search_unit", {"search_units": 7}),
    ],
)
def test_each_figure_has_its_own_rate(rate: str, used: dict[str, int]) -> None:
    priced: Any = {f"{rate}_nanos_per_million": 3 * MILLION}
    assert Rates.of(registry_pb2.Price(**priced)).charge(usage(**used)) == 21
    assert Rates.of(registry_pb2.Price()).charge(usage(**used)) == 0


@pytest.mark.parametrize(
    ("size", "quality", "nanos"),
    [("big", "high", 9), ("big", "low", 5), ("small", "high", 2), ("small", "", 2), ("", "", 9), ("huge", "high", 9), ("big", "auto", 9)],
)
def test_an_image_costs_what_fits_best_and_where_it_is_not_known_the_dearest(size: str, quality: str, nanos: int) -> None:
    rows = [("big", "high", 9), ("big", "", 5), ("small", "", 2)]
    images = [registry_pb2.ImagePrice(size=s, quality=q, image_nanos_per_million=n * MILLION) for s, q, n in rows]
    made = usage(images=[generate_pb2.ImageCount(size=size, quality=quality, count=3)])
    assert Rates.of(registry_pb2.Price(images=images)).charge(made) == 3 * nanos


def test_the_tier_that_served_and_the_models_that_answered_are_charged() -> None:
    price = registry_pb2.Price(input_nanos_per_million=10 * MILLION, request_nanos_per_million=MILLION)
    price.variants.add(tier=generate_pb2.SERVICE_TIER_FLEX, input_nanos_per_million=5 * MILLION)
    price.variants.add(upstream_model="small", input_nanos_per_million=MILLION)
    rates = Rates.of(price)
    flex, priority = generate_pb2.SERVICE_TIER_FLEX, generate_pb2.SERVICE_TIER_PRIORITY
    assert [rates.charge(usage(input_tokens=4, service_tier=tier)) for tier in (0, STANDARD, flex, priority)] == [41, 41, 20, 41]
    parts = [
        generate_pb2.ModelUsage(usage=usage(input_tokens=3)),
        generate_pb2.ModelUsage(model="small", usage=usage(input_tokens=5)),
    ]
    assert rates.charge(usage(input_tokens=8, iterations=parts)) == 3 * 10 + 5 * 1 + 1


@given(PRICES, COUNTS, BOUNDS, st.sampled_from((0, *TIERS)), st.data())
def test_a_reservation_covers_whatever_is_plausible(price: registry_pb2.Price, tokens: int, units: Units, tier: int, data: Any) -> None:
    rates = Rates.of(price)
    used = usage(input_tokens=tokens, output_tokens=tokens, service_tier=tier)
    for name in COUNTED:
        setattr(used, name, data.draw(st.integers(0, getattr(units, name))))
    for part in ("cached", "cache_write", "cache_write_1h", "image"):
        setattr(used, f"{part}_input_tokens", data.draw(COUNTS))
    for part in ("reasoning", "audio", "image"):
        setattr(used, f"{part}_output_tokens", data.draw(COUNTS))
    if units.images:
        used.images.add(size=units.image_size, quality=units.image_quality, count=units.images)
    assert rates.charge(used) <= rates.charge_up(used) <= rates.worst(tokens, tokens, units)


@given(PRICES, BOUNDS)
def test_a_quote_is_stored_whole(price: registry_pb2.Price, units: Units) -> None:
    rates = Rates.of(price)
    kept, bounds = rates_in(stored_rates(rates, units))
    assert (kept, tuple(bounds)) == (rates, tuple(units) if any(units) else tuple(Units()))
    assert stored_rates(Rates(*range(8))) == tuple(range(8)), "rows of plain prices are as long as ever"
    assert rates_in(list(range(8)))[0] == Rates(*range(8))


@given(PRICES, PRICES)
def test_consent_and_floors_compare_the_same_components(accepted: registry_pb2.Price, offered: registry_pb2.Price) -> None:
    dearer = exceeds(offered, accepted)
    assert Rates.of(accepted).is_exceeded_by(Rates.of(offered)) == (dearer is not None)
    if dearer is not None:
        assert dearer in components(offered, accepted)
        assert figure(offered, dearer) > figure(accepted, dearer), str(dearer)


@pytest.mark.parametrize(
    ("field", "used"),
    [
        ("images", {"images": [generate_pb2.ImageCount(count=3)]}),
        ("images", {"images": [generate_pb2.ImageCount(count=-1)]}),
        ("characters", {"characters": 10_000}),
        ("search_units", {"search_units": -1}),
        ("iterations", {"input_tokens": 3, "iterations": [generate_pb2.ModelUsage(usage=usage(input_tokens=2))]}),
    ],
)
def test_what_an_attempt_cannot_have_used_is_no_bill(field: str, used: dict[str, Any]) -> None:
    rates = Rates.of(registry_pb2.Price(character_nanos_per_million=1))
    quoted = line(rates, 100, Units(images=2, characters=100))
    assert impossible(quoted, usage(**used)) == field


def test_each_run_of_a_bill_may_have_read_the_conversation() -> None:
    quoted = line(Rates.of(registry_pb2.Price(input_nanos_per_million=1)), 100, Units())
    parts = [generate_pb2.ModelUsage(usage=usage(input_tokens=1_000)) for _ in range(3)]
    assert impossible(quoted, usage(input_tokens=3_000)) == "input_tokens"
    assert impossible(quoted, usage(input_tokens=3_000, iterations=parts)) is None


@pytest.mark.parametrize("price", [registry_pb2.Price(input_nanos_per_million=1), registry_pb2.Price(image_input_nanos_per_million=1)])
@pytest.mark.parametrize("counts", [(3_000, 0, 0), (1_000, 1_000, 500), (4_000, -500, -500)])
def test_parts_make_no_room_for_a_bill_that_no_run_can_have(price: registry_pb2.Price, counts: tuple[int, ...]) -> None:
    quoted = line(Rates.of(price), 100, Units())
    parts = [generate_pb2.ModelUsage(usage=usage(input_tokens=count)) for count in counts]
    assert impossible(quoted, usage(input_tokens=3_000, iterations=parts)) == "iterations"


@given(PRICES, COUNTS, BOUNDS)
def test_what_is_charged_in_the_place_of_an_impossible_report_is_within_the_reservation(
    price: registry_pb2.Price, tokens: int, units: Units
) -> None:
    quoted = line(Rates.of(price), tokens, units)
    report = usage_pb2.UsageLine(usage=usage(input_tokens=-1, output_tokens=-1, characters=-1))
    assert quoted.rates.charge(counted_instead(quoted, report)) <= quoted.reserved
