"""The one back-off: each wait stays between its bounds whatever chance says, and begins anew after a success."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh_runtime.backoff import Backoff, step

FIRST = st.floats(min_value=1e-4, max_value=10)
FACTOR = st.floats(min_value=1, max_value=1000)
SHARE = st.floats(min_value=0, max_value=1)


@given(first=FIRST, factor=FACTOR, jitter=SHARE, chances=st.lists(SHARE, min_size=1, max_size=100))
def test_each_wait_lies_between_the_share_that_is_certain_and_the_whole_step(
    first: float, factor: float, jitter: float, chances: list[float]
) -> None:
    longest = first * factor
    backoff = Backoff(first, longest, jitter=jitter, chance=iter(chances).__next__)
    for repetition in range(len(chances)):
        whole = min(longest, first * 2**repetition)
        assert whole * (1 - jitter) - 1e-9 <= backoff.pause() <= whole + 1e-9 <= longest + 1e-9


@given(first=FIRST, factor=FACTOR, repetition=st.integers(min_value=0, max_value=100_000))
def test_no_number_of_repetitions_overflows_or_shortens_a_wait(first: float, factor: float, repetition: int) -> None:
    longest = first * factor
    assert first <= step(first, longest, repetition) <= step(first, longest, repetition + 1) <= longest


@given(failures=st.integers(min_value=0, max_value=200))
def test_a_success_makes_the_next_wait_the_first_one(failures: int) -> None:
    backoff = Backoff(0.5, 8.0, jitter=0.0)
    for _ in range(failures):
        backoff.pause()
    backoff.reset()
    assert backoff.pause() == 0.5


def test_chance_decides_the_whole_wait_half_of_it_or_nothing() -> None:
    def waits(jitter: float, chance: Callable[[], float]) -> list[float]:
        backoff = Backoff(1.0, 4.0, jitter=jitter, chance=chance)
        return [backoff.pause() for _ in range(4)]

    assert waits(0.0, lambda: 1.0) == [1.0, 2.0, 4.0, 4.0]
    assert waits(0.5, lambda: 1.0) == [0.5, 1.0, 2.0, 2.0]
    assert waits(1.0, lambda: 1.0) == [0.0, 0.0, 0.0, 0.0]


def test_two_callers_do_not_wait_alike() -> None:
    assert Backoff(1.0, 1.0).pause() != pytest.approx(Backoff(1.0, 1.0).pause(), abs=1e-12)
