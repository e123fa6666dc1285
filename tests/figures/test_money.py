"""Money is exact: rounded once, never a float."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh_figures.money import MAX_AMOUNT, MAX_INT64, line_amount, reserve_amount, saturated, text

UNITS = st.integers(min_value=0, max_value=10**9)
PRICES = st.integers(min_value=0, max_value=10**12)


@given(UNITS, PRICES)
def test_a_line_is_rounded_half_to_even(units: int, price: int) -> None:
    assert line_amount(units, price) == round(Fraction(units * price, 10**6))


@given(UNITS, PRICES)
def test_a_reservation_covers_its_line_and_less_than_one_nano_more(units: int, price: int) -> None:
    exact = Fraction(units * price, 10**6)
    assert line_amount(units, price) <= reserve_amount(units, price)
    assert exact <= reserve_amount(units, price) < exact + 1


def test_halves_go_to_the_even_side() -> None:
    assert [line_amount(units, 500_000) for units in (1, 3, 5, 7)] == [0, 2, 2, 4]


def test_floats_are_refused_and_amounts_beyond_64_bits_are_exact() -> None:
    with pytest.raises(TypeError):
        line_amount(1.0, 1)  # type: ignore[arg-type]  # the case under test
    assert reserve_amount(2**62, 10**9) == 2**62 * 1000
    assert (saturated(2**70), saturated(-(2**70)), saturated(7)) == (MAX_AMOUNT, -MAX_AMOUNT, 7)
    assert 2 * MAX_AMOUNT <= MAX_INT64, "adding one amount to another never overflows"


def test_amounts_for_people_are_exact() -> None:
    assert text(1_500_000_000) == "1.5 USD"
    assert text(-1, "EUR") == "-0.000000001 EUR"
    assert text(0) == "0 USD"
