"""Exact money: int64 nano-units, prices per million units, never a float.

A charge is rounded half to even, once per usage line; a reservation is rounded up, so that it always covers the charge. Results are
exact, however large: who stores or sends them holds them to `MAX_AMOUNT`, or saturates them.
"""

from __future__ import annotations

NANO = 10**9
MILLION = 10**6
MAX_INT64 = 2**63 - 1
MAX_PRICE = 10**18
"""The highest price, in nanos per million units: a thousand units of the currency per token."""
MAX_AMOUNT = 4 * 10**18
"""The largest amount that may be asked for, in nanos. Two of them fit into 64 bits, so that adding one to another never overflows."""


def line_amount(units: int, nanos_per_million: int, per: int = MILLION) -> int:
    """What `units` cost, in nanos, rounded half to even. `per`: how many units the price is for."""
    quotient, remainder = divmod(_product(units, nanos_per_million), per)
    twice = 2 * remainder
    return quotient + (1 if twice > per or (twice == per and quotient % 2) else 0)


def reserve_amount(units: int, nanos_per_million: int, per: int = MILLION) -> int:
    """What to hold for `units`, in nanos, rounded up. `per`: how many units the price is for."""
    return -(-_product(units, nanos_per_million) // per)


def saturated(figure: int, most: int = MAX_AMOUNT) -> int:
    """The figure, or the bound that it exceeds."""
    return min(most, max(-most, figure))


def _product(units: int, nanos_per_million: int) -> int:
    if isinstance(units, float) or isinstance(nanos_per_million, float):
        raise TypeError("money is counted in integers")
    return units * nanos_per_million


def text(nanos: int, currency: str = "USD") -> str:
    """The amount for people, exact, without trailing zeros: `1.5 USD`."""
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    whole, rest = divmod(nanos, NANO)
    decimals = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{sign}{whole}{decimals} {currency}".rstrip()
