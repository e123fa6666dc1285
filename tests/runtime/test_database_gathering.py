"""Writes wait for those that are about to come, by turns of the event loop and never by the clock."""

import asyncio

import pytest

from llm_mesh_runtime.database import Database
from llm_mesh_runtime.database.gathering import Gathering
from llm_mesh_runtime.database.work import Work


class Lane:
    """Takes what is handed over."""

    def __init__(self) -> None:
        self.groups: list[list[Work]] = []
        self.loop = asyncio.get_running_loop()
        self.gathering = Gathering(self.loop, self.groups.append)

    def add(self) -> None:
        self.gathering.add(Work(None, self.loop, reads=False))

    @property
    def sizes(self) -> list[int]:
        return [len(group) for group in self.groups]


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("apart", [0, 1, 4])
async def test_writes_that_come_within_a_few_turns_go_together(apart: int) -> None:
    lane = Lane()
    for _ in range(4):
        lane.add()
        await turns(apart)
    assert lane.sizes == []
    await turns(20)
    assert lane.sizes == [4]


async def test_a_lone_write_goes_after_a_few_turns_and_the_next_is_a_group_of_its_own() -> None:
    lane = Lane()
    for _ in range(2):
        lane.add()
        await turns(10)
    assert lane.sizes == [1, 1]


async def trickled(lane: Lane) -> None:
    """Four works, each in one of the last turns in which the one before still waits for it."""
    for _ in range(4):
        lane.add()
        await turns(4)
    await turns(20)


async def test_after_a_lone_write_the_next_are_waited_for_as_the_first_was() -> None:
    lane = Lane()
    lane.add()
    await turns(10)
    await trickled(lane)
    assert lane.sizes == [1, 4]


async def test_turns_cease_once_nothing_is_gathered() -> None:
    lane = Lane()
    lane.add()
    lane.gathering.end()
    await turns(1)
    await trickled(lane)  # would go too early if the turns of the first were still counted
    assert lane.sizes == [1, 4]


async def test_an_end_with_nothing_gathered_hands_nothing_over() -> None:
    lane = Lane()
    lane.gathering.end()
    assert lane.groups == []


async def test_nobody_waits_without_end_for_those_who_never_cease() -> None:
    lane = Lane()
    for _ in range(60):
        lane.add()
        await turns(1)
    assert len(lane.groups) == 1
    assert lane.sizes[0] < 40


async def test_a_crowd_goes_at_once() -> None:
    lane = Lane()
    for _ in range(200):
        lane.add()
    await turns(2)
    assert lane.sizes == [200]


async def test_what_was_gathered_is_done_before_the_end(database: Database) -> None:
    asked = asyncio.ensure_future(database.write(lambda _connection: "done"))
    await turns(1)
    await database.close()
    async with asyncio.timeout(5):
        assert await asked == "done"
