"""The law of fair shares: never more than the bound, idle places are lent, and who holds less is served first."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.limiter import Limiter
from llm_mesh_runtime.shares import RESERVE, SMALL, FairQueue, Party, Shares

PARTIES = [Party(f"domains/{domain}", principal) for domain in "abcd" for principal in "xyz"]
HOG, OTHER = Party("domains/hog", "hog"), Party("domains/other", "somebody")


def filled(shares: Shares, party: Party | None) -> int:
    """Take as many as the party may have."""
    count = 0
    while shares.take(party):
        count += 1
    return count


@given(st.integers(0, 60), st.lists(st.tuples(st.booleans(), st.sampled_from([None, *PARTIES])), max_size=400))
def test_places_are_counted_exactly_and_never_more_than_there_are(places: int, steps: list[tuple[bool, Party | None]]) -> None:
    shares, held = Shares(places), dict.fromkeys([None, *PARTIES], 0)
    for takes, party in steps:
        if takes:
            allowed = shares.may_take(party)
            assert shares.take(party) is allowed
            held[party] += allowed
        elif held[party]:
            shares.give(party)
            held[party] -= 1
        assert shares.taken == sum(held.values()) <= places
        for each in PARTIES:
            of_domain = sum(count for other, count in held.items() if other is not None and other.domain == each.domain)
            assert shares.held(each) == (of_domain, held[each])


@given(st.integers(SMALL, 5_000))
def test_an_idle_bound_is_lent_but_for_a_reserve_and_the_reserve_serves_the_next_one(places: int) -> None:
    shares = Shares(places)
    borrowed = filled(shares, HOG)
    assert borrowed == Shares.most(Shares.most(places, RESERVE), RESERVE / 2)
    assert borrowed >= places // 2
    same_domain = filled(shares, HOG._replace(principal="colleague"))
    assert same_domain >= 1 or Shares.most(places, RESERVE) < SMALL, "a principal leaves something to its colleagues"
    assert shares.held(HOG)[0] <= Shares.most(places, RESERVE)
    assert shares.take(OTHER), "somebody who holds nothing gets in"


@given(st.integers(64, 2_000), st.integers(2, 6))
def test_parties_that_all_want_everything_come_to_hold_as_much_as_each_other(places: int, active: int) -> None:
    shares = Shares(places)
    parties, held = [Party(f"domains/{number}", "one") for number in range(active)], [0]
    for _ in range(30 * places):  # a call ends, and everybody wants its place
        holding = max(parties, key=shares.held)
        if shares.held(holding)[1]:
            shares.give(holding)
        for party in parties:
            shares.take(party)
        held = sorted(shares.held(party)[0] for party in parties)
        if held[-1] - held[0] <= 1:
            break
    assert held[-1] - held[0] <= max(1, places // 16), held


@given(st.integers(1, 40), st.lists(st.sampled_from(PARTIES), min_size=1, max_size=60), st.randoms())
def test_nobody_below_waits_behind_somebody_above(places: int, arrivals: list[Party], rng: object) -> None:
    shares: Shares = Shares(places)
    queue: FairQueue[int] = FairQueue()
    waiting: list[Party] = []
    for number, party in enumerate(arrivals):
        if not shares.take(party):
            queue.add(party, number)
            waiting.append(party)
    holders = [party for party in PARTIES for _ in range(shares.held(party)[1])]
    while holders:
        holder = rng.choice(holders)  # type: ignore[attr-defined]  # hypothesis gives a Random
        holders.remove(holder)
        shares.give(holder)
        eligible = {party: shares.held(party) for party in waiting if shares.may_take(party)}
        chosen = queue.next(shares)
        assert (chosen is None) == (not eligible), "whoever may have a place does not wait while one is free"
        if chosen is not None:
            served, number = chosen
            assert served is not None
            assert shares.held(served) == min(eligible.values())
            assert arrivals[number] == served
            waiting.remove(served)
            shares.take(served)
            holders.append(served)
        if not waiting:
            break
    assert len(queue) == len(waiting)


def test_a_large_number_of_parties_is_forgotten_once_they_hold_nothing() -> None:
    shares = Shares(10)
    for number in range(1_000):
        party = Party(f"domains/{number}", "x")
        assert shares.take(party)
        shares.give(party)
    assert not shares._domains


def test_services_of_the_mesh_have_no_share_and_go_first() -> None:
    shares = Shares(8)
    assert filled(shares, None) == 8
    queue: FairQueue[str] = FairQueue()
    queue.add(OTHER, "tenant")
    queue.add(None, "service")
    shares.give(None)
    assert queue.next(shares) == (None, "service")
    assert queue.next(shares) == (OTHER, "tenant")
    assert queue.next(shares) is None


async def test_a_limiter_serves_a_newcomer_at_once_though_another_fills_slots_and_queue() -> None:
    limiter = Limiter(16, 16)
    while limiter.enter_now(HOG):
        pass
    waiting = [asyncio.create_task(limiter.enter(None, HOG)) for _ in range(16)]
    await asyncio.sleep(0)
    refused = [task for task in waiting if task.done()]
    assert refused, "nobody fills the queue alone"
    for task in refused:
        assert isinstance(task.exception(), MeshError)
    await asyncio.wait_for(limiter.enter(time.monotonic() + 5, OTHER), 1)
    limiter.leave(OTHER)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert limiter.waiting == 0


async def test_the_slot_that_becomes_free_goes_to_the_domain_that_holds_least() -> None:
    limiter = Limiter(2, 8)
    assert limiter.enter_now(HOG)
    assert limiter.enter_now(HOG)
    first = asyncio.create_task(limiter.enter(None, HOG))
    await asyncio.sleep(0)
    second = asyncio.create_task(limiter.enter(None, OTHER))
    await asyncio.sleep(0)
    limiter.leave(HOG)
    await asyncio.wait_for(second, 1)
    assert not first.done(), "it came first, and its domain holds a slot"
    limiter.leave(HOG)
    await asyncio.wait_for(first, 1)


@pytest.mark.parametrize("places", [0, 1, 2, 3])
def test_few_places_have_no_reserve(places: int) -> None:
    assert filled(Shares(places), HOG) == places


@given(st.integers(0, 300), st.lists(st.tuples(st.booleans(), st.sampled_from(PARTIES), st.integers(1, 9)), max_size=200))
def test_the_short_cut_of_a_bound_that_is_not_scarce_decides_as_the_rule(places: int, steps: list[tuple[bool, Party, int]]) -> None:
    short, whole = Shares(places), Shares(places)
    whole._scarce = 0
    held: list[tuple[Party, int]] = []
    for takes, party, amount in steps:
        if takes:
            taken = short.take(party, amount)
            assert taken is whole.take(party, amount)
            if taken:
                held.append((party, amount))
        elif held:
            for shares in (short, whole):
                shares.give(*held[-1])
            held.pop()
