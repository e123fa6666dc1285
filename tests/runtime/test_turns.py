"""Turns go round among owners, and are not lost with those who leave."""

from __future__ import annotations

import asyncio

from llm_mesh_runtime.turns import Turns


async def test_owners_take_turns_however_many_one_of_them_wants() -> None:
    turns, order = Turns(), []

    async def work(owner: str) -> None:
        async with turns.of(owner):
            order.append(owner)
            await asyncio.sleep(0)

    greedy = [asyncio.create_task(work("greedy")) for _ in range(20)]
    await asyncio.sleep(0)
    modest = [asyncio.create_task(work("modest")) for _ in range(2)]
    await asyncio.gather(*greedy, *modest)
    assert order.index("modest") <= 3
    assert [number for number, owner in enumerate(order) if owner == "modest"][1] <= 6
    assert len(order) == 22


async def test_who_stops_waiting_for_a_turn_holds_nobody_up() -> None:
    turns = Turns()
    async with turns.of("a"):
        waiting = [asyncio.create_task(_in_turn(turns, "b")) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*waiting[1:])
    waiting[2:] = [asyncio.create_task(_in_turn(turns, "c"))]
    async with asyncio.timeout(1):
        await waiting[2]


async def test_a_turn_that_was_given_to_somebody_who_leaves_goes_on() -> None:
    turns = Turns()
    async with turns.of("a"):
        leaving = asyncio.create_task(_in_turn(turns, "b"))
        await asyncio.sleep(0)
    leaving.cancel()  # it has been given the turn, and has not run since
    async with asyncio.timeout(1):
        await _in_turn(turns, "c")


async def _in_turn(turns: Turns, owner: str) -> None:
    async with turns.of(owner):
        pass
