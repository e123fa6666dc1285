"""While a process is overloaded, those who hold least are let in first, and the window stays what it is."""

from __future__ import annotations

import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh_runtime.pressure import LATE, LEAST, Pressure
from llm_mesh_runtime.shares import Party, Shares
from llm_mesh_runtime.window_shares import MEMBERS, NEWCOMERS, most_inside

HOG, OTHER = Party("domains/hog", "hog"), Party("domains/other", "somebody")
PARTIES = [Party(f"domains/{domain}", principal) for domain in "abcd" for principal in "xyz"]
LIMITS = st.integers(LEAST, 400)


class Late:
    """A process that stays overloaded, with a window of a fixed size."""

    def __init__(self, limit: int) -> None:
        self.pressure = Pressure(0.01)
        self.pressure._idle = 0  # nothing is measured: the window stays
        for _ in range(LATE):
            self.pressure._window.sample(late=True, inside=limit, refused=0)
        self.inside: list[Party] = []

    def enter(self, party: Party) -> bool:
        admitted = self.pressure.enter(party)
        if admitted:
            self.inside.append(party)
        return admitted

    def leave(self, position: int) -> None:
        self.pressure.leave(self.inside.pop(position % len(self.inside)))

    def fill(self, *parties: Party) -> None:
        while sum(self.enter(party) for party in parties):
            pass


@given(LIMITS, st.integers(0, 1_000), st.integers(1, len(PARTIES)))
@settings(deadline=None)
def test_whatever_comes_and_goes_no_more_than_the_window_and_its_places_for_newcomers_are_inside(
    limit: int, seed: int, callers: int
) -> None:
    late, choices = Late(limit), random.Random(seed)  # noqa: S311 (choices of a test)
    for _ in range(4 * limit):
        if late.inside and choices.random() < 0.3:
            late.leave(choices.randrange(len(late.inside)))
        else:
            late.enter(choices.choice(PARTIES[:callers]))
        assert len(late.inside) <= limit + NEWCOMERS


@given(LIMITS)
def test_a_domain_alone_has_the_window(limit: int) -> None:
    late = Late(limit)
    late.fill(HOG)
    assert len(late.inside) == limit


@given(LIMITS, st.integers(1, 300))
def test_however_many_principals_a_domain_has_the_first_requests_of_another_are_let_in(limit: int, principals: int) -> None:
    late = Late(limit)
    late.fill(*(Party(HOG.domain, f"p{number}") for number in range(principals)))
    assert len(late.inside) <= limit + MEMBERS
    assert [late.enter(OTHER) for _ in range(MEMBERS)] == [True] * MEMBERS


@given(LIMITS)
def test_each_further_domain_finds_a_place(limit: int) -> None:
    late = Late(limit)
    late.fill(HOG)
    for number in range(4):
        assert late.enter(Party(f"domains/d{number}", "p"))
        late.fill(Party(f"domains/d{number}", "p"))


def test_a_principal_that_takes_all_leaves_some_to_others_of_its_domain() -> None:
    late = Late(LEAST)
    late.fill(HOG)
    assert late.enter(Party(HOG.domain, "colleague"))


@given(LIMITS, st.integers(2, 6))
def test_who_is_below_its_share_is_let_in_before_all_who_are_above(limit: int, domains: int) -> None:
    share = limit // domains
    below = min(most_inside(limit, domains, holds, 0 if holds == 0 else 1) for holds in range(share))
    above = max(most_inside(limit, domains, holds, own) for holds in range(max(share, NEWCOMERS), limit) for own in (0, 1, holds))
    assert below > above


@given(LIMITS, st.integers(1, 400))
@settings(deadline=None, max_examples=30)
def test_who_wants_no_more_than_its_share_comes_to_hold_it_beside_one_who_retries_at_once(limit: int, wish: int) -> None:
    late = Late(limit)
    late.fill(HOG)
    wish = min(wish, limit // 2)
    for turn in range(6 * limit):
        late.leave(turn * 7)
        for _ in range(3):
            late.enter(HOG)
        while late.inside.count(OTHER) < wish and late.enter(OTHER):
            pass
        for _ in range(3):
            late.enter(HOG)
    assert late.inside.count(OTHER) >= wish - 1  # one may have just left
    assert len(late.inside) >= limit - 1, "no place is idle"


def test_who_leaves_gives_back_what_was_counted_to_it() -> None:
    late = Late(LEAST)
    late.fill(*PARTIES)
    while late.inside:
        late.leave(len(late.inside) // 2)
    assert (late.pressure._inside.taken, late.pressure._inside.domains) == (0, 0)


@pytest.mark.parametrize("party", [HOG, OTHER])
def test_while_there_is_no_window_everybody_is_let_in(party: Party) -> None:
    pressure = Pressure(0.01)
    pressure._idle = 0
    assert all(pressure.enter(party) for _ in range(5_000))


def test_domains_are_counted_while_they_hold_something() -> None:
    shares = Shares(sys.maxsize)
    for party in (*PARTIES, HOG):
        shares.take(party)
    assert shares.domains == 5
    shares.give(HOG)
    assert shares.domains == 4
