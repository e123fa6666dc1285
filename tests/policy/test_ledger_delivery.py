"""The outbox: in order, at least once, with backoff, and never in the way of a request."""

import asyncio
from collections.abc import Sequence

import pytest

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.ledger.domain import replay
from llm_mesh_policy.ledger.domain.replay import Delivery, ReplayedRecords
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError, store_unavailable
from tests.policy.ledger_world import World, line


class Reader:
    """Observability that can be away, or lose its answer."""

    def __init__(self) -> None:
        self.seen: list[usage_pb2.UsageEvent] = []
        self.away = 0
        self.news = asyncio.Event()

    async def ingest(self, events: Sequence[usage_pb2.UsageEvent]) -> int:
        self.news.set()
        if self.away:
            self.away -= 1
            raise store_unavailable("observability")
        self.seen += events
        return events[-1].sequence


@pytest.fixture
async def world(database: Database) -> World:
    return await World(database).ready()


async def test_events_come_in_order_each_entry_as_it_stands_with_growing_versions(world: World) -> None:
    reader = Reader()
    delivery = Delivery(world.reading, reader)
    first, second = await world.reserve(), await world.reserve()
    await delivery.once()
    await world.settle(first, line())
    await delivery.once()
    assert await delivery.once() == 0
    ids = [first.held.reservation.id, second.held.reservation.id, first.held.reservation.id]
    assert [event.entry.name.rpartition("/")[2] for event in reader.seen] == ids
    assert [event.version for event in reader.seen] == [1, 1, 2]
    assert [event.sequence for event in reader.seen] == sorted({event.sequence for event in reader.seen})
    assert reader.seen[-1].entry.state == usage_pb2.RESERVATION_STATE_SETTLED


async def test_what_was_not_taken_comes_again(world: World) -> None:
    reader = Reader()
    reader.away = 1
    delivery = Delivery(world.reading, reader)
    await world.reserve()
    with pytest.raises(MeshError):
        await delivery.once()
    assert await delivery.once() == 1
    assert len(reader.seen) == 1


async def test_a_reader_that_lost_its_place_gets_everything_again(world: World) -> None:
    reader = Reader()
    await world.reserve()
    await Delivery(world.reading, reader).once()
    await world.reading.advance(replay.OBSERVABILITY, 0)
    await Delivery(world.reading, reader).once()
    assert len(reader.seen) == 2


async def test_the_running_delivery_waits_for_news_and_survives_an_absence(world: World) -> None:
    reader = Reader()
    reader.away = 2
    delivery = Delivery(world.reading, reader, pause=0.001, longest_pause=0.01)
    await world.reserve()
    task = asyncio.create_task(delivery.run())
    async with asyncio.timeout(10):
        while not reader.seen:
            reader.news.clear()
            await reader.news.wait()
        settled = await world.settle(await world.reserve(), line())
        while not any(event.entry == settled.entry for event in reader.seen):
            reader.news.clear()
            delivery.wake()
            await reader.news.wait()
    task.cancel()


async def test_a_replay_gives_everything_in_batches_from_where_it_is_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "BATCH", 2)
    for _ in range(5):
        await world.reserve()
    batches = [list(batch) async for batch in ReplayedRecords(world.reading).events(0)]
    assert [len(batch) for batch in batches] == [2, 2, 1]
    later = [event async for batch in ReplayedRecords(world.reading).events(batches[1][0].sequence) for event in batch]
    assert [event.sequence for event in later] == [3, 4, 5]


async def test_early_releases_are_no_events(world: World) -> None:
    await world.lifecycle.release("01J" + "0" * 23)
    assert not await world.reading.after(0, 10)
