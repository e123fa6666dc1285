"""Watchers get everything first, then each change once, also when time alone changes a price."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain import feed as feed_module
from llm_mesh_registry.domain.feed import Feed
from llm_mesh_registry.domain.ports import Holdings
from llm_mesh_registry.domain.well_known import WellKnownModels
from llm_mesh_runtime.resources import page_of


class Shelf:
    """A store of which the feed needs only this."""

    def __init__(self) -> None:
        self.number, self.now = 1, 0
        self.held: list[registry_pb2.Model] = []
        self.prices: Sequence[registry_pb2.Price] = ()
        self.accepted: Sequence[registry_pb2.AcceptedProduct] = ()

    def put(self, *models: registry_pb2.Model) -> None:
        self.held, self.number = list(models), self.number + 1

    async def revision(self) -> int:
        return self.number

    async def everything(self) -> Holdings:
        return Holdings(self.number, self.held, self.prices, self.accepted, self.now)


def a_model(name: str, region: str = "") -> registry_pb2.Model:
    return registry_pb2.Model(name=name, region=region)


async def test_a_watcher_gets_everything_and_then_what_changes() -> None:
    shelf = Shelf()
    feed = Feed(shelf)  # type: ignore[arg-type]  # the part of the store that the feed needs
    shelf.put(a_model("a"), a_model("b"))
    await feed.refresh()
    stream = feed.watch("", 60)
    first = await anext(stream)
    assert (first.reset, first.snapshot_complete, [found.name for found in first.models]) == (True, True, ["a", "b"])
    shelf.put(a_model("a", "eu"))
    await feed.refresh()
    second = await anext(stream)
    assert ([found.region for found in second.models], list(second.removed), second.reset) == (["eu"], ["b"], False)
    resumed = await anext(feed.watch(first.resume_token, 60))
    assert ([found.name for found in resumed.models], list(resumed.removed), resumed.reset) == (["a"], ["b"], False)


async def test_a_token_of_another_process_is_answered_with_everything() -> None:
    shelf = Shelf()
    feed, other = Feed(shelf), Feed(shelf)  # type: ignore[arg-type]  # likewise
    shelf.put(a_model("a"))
    await feed.refresh()
    await other.refresh()
    token = (await anext(other.watch("", 60))).resume_token
    for given in (token, "garbage", "x.y", "1.99"):
        assert (await anext(feed.watch(given, 60))).reset


async def test_a_price_that_begins_by_itself_is_told() -> None:
    shelf = Shelf()
    feed = Feed(shelf)  # type: ignore[arg-type]  # likewise
    later = registry_pb2.Price(name="p")
    later.valid_from.FromMicroseconds(1_000)
    shelf.prices = [later]
    shelf.put(a_model("a"))
    await feed.refresh(0)
    stream = feed.watch("", 60)
    await anext(stream)
    shelf.held, shelf.now = [registry_pb2.Model(name="a", price=later)], 1_000
    await feed.refresh(999)
    await feed.refresh(1_000)
    assert (await anext(stream)).models[0].price == later


async def test_a_watch_ends_after_its_lifetime() -> None:
    feed = Feed(Shelf())  # type: ignore[arg-type]  # likewise
    await feed.refresh()
    assert len([message async for message in feed.watch("", 0.01)]) == 1


def test_the_starting_table_prices_every_model_and_names_the_source() -> None:
    table = WellKnownModels()
    request = registry_pb2.ListWellKnownModelsRequest(page_size=1000, endpoint="openai")
    models, _ = table.page(request.endpoint, page_of(request, request.endpoint))
    by_name = {found.upstream_model: found for found in models}
    assert by_name["gpt-4.1"].price.input_nanos_per_million == 2_000_000_000
    assert all(found.price.source and found.price.currency == "USD" for found in models)
    by_tokens = [found for found in models if not {"speak", "transcribe"} & set(found.capabilities)]
    assert all(found.price.input_nanos_per_million for found in by_tokens)
    assert len({found.alias for found in models}) == len(models)


async def test_a_watcher_that_is_behind_what_is_remembered_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "_MOST_REMOVED", 2)
    shelf = Shelf()
    feed = Feed(shelf)  # type: ignore[arg-type]  # likewise
    shelf.put(*(a_model(name) for name in "abcd"))
    await feed.refresh()
    tokens = [(await anext(feed.watch("", 60))).resume_token]
    slow = feed.watch("", 60)
    await anext(slow)
    for left in ("bcd", "cd", "d"):
        shelf.put(*(a_model(name) for name in left))
        await feed.refresh()
        tokens.append((await anext(feed.watch("", 60))).resume_token)
    messages = [await anext(feed.watch(token, 60)) for token in tokens]
    assert [(message.reset, list(message.removed)) for message in messages] == [
        (True, []),
        (False, ["b", "c"]),
        (False, ["c"]),
        (False, []),
    ]
    assert [message async for message in slow] == [], "a stream that would miss removals ends, and is opened again with its token"
