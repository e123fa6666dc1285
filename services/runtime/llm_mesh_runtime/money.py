"""Exact money: int64 nano-units, prices per million units, never a float.

A charge is rounded half to even, once per usage line; a reservation is rounded up, so that it always covers the charge.
"""

from __future__ import annotations

NANO = 10**9
MILLION = 10**6
MAX_INT64 = 2**63 - 1


def line_amount(units: int, nanos_per_million: int) -> int:
    """What `units` cost, in nanos, rounded half to even."""
    quotient, remainder = divmod(_product(units, nanos_per_million), MILLION)
    twice = 2 * remainder
    return quotient + (1 if twice > MILLION or (twice == MILLION and quotient % 2) else 0)


def reserve_amount(units: int, nanos_per_million: int) -> int:
    """What to hold for `units`, in nanos, rounded up."""
    return -(-_product(units, nanos_per_million) // MILLION)


def _product(units: int, nanos_per_million: int) -> int:
    if isinstance(units, float) or isinstance(nanos_per_million, float):
        raise TypeError("money is counted in integers")
    product = units * nanos_per_million
    if abs(product) // MILLION >= MAX_INT64:
        raise OverflowError("the amount does not fit in 64 bits")
    return product


def text(nanos: int, currency: str = "USD") -> str:
    """The amount for people, exact, without trailing zeros: `1.5 USD`."""
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    whole, rest = divmod(nanos, NANO)
    decimals = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{sign}{whole}{decimals} {currency}".rstrip()
