"""What engines say of their load and their caches reaches the router, bounded, and without a token of a prompt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from smg_grpc_proto.generated import common_pb2

from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from llm_mesh_adapter_engine.provider import loads as module
from llm_mesh_adapter_engine.provider.caches import MOST_BLOCKS, MOST_RANKS, CacheWatch
from llm_mesh_adapter_engine.provider.loads import LoadWatch
from llm_mesh_adapter_engine.provider.models import EngineModels, StrangersCode
from llm_mesh_adapter_engine.provider.options import EngineEndpoint
from llm_mesh_adapter_engine.provider.templates import TemplateRenderer
from llm_mesh_adapter_engine.provider.trials import TokenizerTrial
from llm_mesh_adapter_engine.wiring import service
from llm_mesh_adapter_kit.errors import AdapterError, reset, unsupported
from llm_mesh_adapter_kit.rpc.framing import framed
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.testing import host
from tests.adapter_engine.engine_adapter import KINDS, RunsHere, settings
from tests.adapter_engine.fake_engine import FakeEngine, Script, engine

WAIT = 20
RANKS = ({"num_running_reqs": 3, "num_waiting_reqs": 1, "token_usage": 0.5}, {"num_running_reqs": 2, "dp_rank": 1, "token_usage": 0.25})


@dataclass
class NoSettings:
    """A fake needs none."""


class FakeRouter(router_pb2_grpc.RouterServiceServicer):
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.loads: list[router_pb2.EndpointLoad] = []
        self.changes: list[router_pb2.CacheChanges] = []
        self.news = asyncio.Condition()

    async def ReportLoads(self, request: router_pb2.ReportLoadsRequest, context: object) -> router_pb2.ReportLoadsResponse:
        async with self.news:
            self.loads += request.loads
            self.changes += request.cache_changes
            self.news.notify_all()
        return router_pb2.ReportLoadsResponse()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits for reports."""
        async with asyncio.timeout(WAIT), self.news:
            await self.news.wait_for(holds)


@asynccontextmanager
async def reported(script: Script, kind: str = "vllm", **more: Any) -> AsyncIterator[tuple[FakeRouter, FakeEngine]]:
    """An engine, its adapter, and a router that hears of it."""
    made = FakeRouter()
    router = Service(
        name="router",
        contracts=("llm_mesh.router.v1.RouterService",),
        settings=NoSettings,
        build=lambda *_: Servicers((router_pb2_grpc.add_RouterServiceServicer_to_server, made)),
    )
    async with engine(script, kind) as running:
        chosen = settings(running.port, kind, more)
        async with host(router, service, settings={"router": NoSettings(), service.name: chosen}):
            yield made, running


@pytest.mark.parametrize("kind", KINDS)
async def test_the_load_of_all_ranks_is_reported(kind: str) -> None:
    async with reported(Script(loads=RANKS), kind) as (router, _):
        await router.until(lambda: bool(router.loads))
        load = router.loads[0]
    assert (load.adapter, load.endpoint) == ("engine", "main")
    assert (load.running_requests, load.waiting_requests, load.cache_usage) == (5, 1, 0.375)


def stored(*hashes: int, parent: int = 0) -> common_pb2.KvCacheEvent:
    blocks = [common_pb2.KvBlock(block_hash=each, token_ids=[7, 8], block_size=16) for each in hashes]
    return common_pb2.KvCacheEvent(stored=common_pb2.KvBlocksStored(blocks=blocks, parent_block_hash=parent))


async def test_changes_of_the_cache_are_reported_in_order_by_hash_alone() -> None:
    removed = common_pb2.KvCacheEvent(removed=common_pb2.KvBlocksRemoved(block_hashes=[1]))
    cleared = common_pb2.KvCacheEvent(cleared=common_pb2.KvCacheCleared())
    elsewhere = common_pb2.KvCacheEvent(
        stored=common_pb2.KvBlocksStored(blocks=[common_pb2.KvBlock(block_hash=9)], tier=common_pb2.KV_CACHE_TIER_DISK)
    )
    batches = [
        common_pb2.KvEventBatch(sequence_number=1, events=[stored(1, 2, parent=5)]),
        common_pb2.KvEventBatch(sequence_number=2, events=[removed, elsewhere]),
        common_pb2.KvEventBatch(sequence_number=3, events=[cleared], dp_rank=0),
    ]
    async with reported(Script(batches=batches)) as (router, _):
        await router.until(lambda: len(router.changes) == 3)
        first, second, third = router.changes
    assert [(each.hash, each.parent, each.tokens) for each in first.stored] == [(1, 5, 16), (2, 1, 16)]
    assert first.reporter
    assert {second.reporter, third.reporter} == {first.reporter}
    assert (first.reset, first.sequence, list(second.removed), second.sequence, third.reset) == (True, 0, [1], 1, True)


async def test_a_large_batch_comes_in_reports_of_bounded_size() -> None:
    batch = common_pb2.KvEventBatch(events=[stored(*range(1, MOST_BLOCKS + 11))])
    async with reported(Script(batches=[batch])) as (router, _):
        await router.until(lambda: len(router.changes) == 2)
    assert [len(change.stored) for change in router.changes] == [MOST_BLOCKS, 10]
    assert router.changes[1].stored[0].parent == MOST_BLOCKS


async def test_an_engine_whose_cache_is_not_to_be_followed_is_not_subscribed_to() -> None:
    async with reported(Script(loads=RANKS), kv_events=False) as (router, running):
        await router.until(lambda: bool(router.loads))
        assert running.calls["SubscribeKvEvents"] == 0


async def test_failures_double_the_pause_up_to_a_bound_and_an_absent_method_ends_it() -> None:
    answers: list[AdapterError] = [reset("main")] * 12

    async def ask(*_: object) -> bytes:
        raise answers.pop() if answers else unsupported("main", "GetLoads")

    async def report(_: object) -> None:
        raise AssertionError("nothing is reported")

    endpoint = EngineEndpoint(name="main", provider="vLLM", base_url="http://127.0.0.1:1", local=True)
    watch = LoadWatch(endpoint, EngineModels(StrangersCode(TemplateRenderer(RunsHere()), TokenizerTrial(RunsHere()))), ask, report, 2.0)
    assert await watch.step()
    assert watch.pause == 4.0
    while answers:
        assert await watch.step()
    assert watch.pause == module.LONGEST_PAUSE
    assert not await watch.step()


class _Answers:
    """A subscription that has these batches, and then ends."""

    def __init__(self, *batches: common_pb2.KvEventBatch) -> None:
        self._pieces = [framed(batch.SerializeToString()) for batch in batches]

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def close(self) -> None:
        self._pieces.clear()


@pytest.mark.parametrize("rank", [MOST_RANKS, -1])
async def test_a_rank_that_no_engine_has_ends_the_subscription(rank: int) -> None:
    reported_ranks: list[int] = []

    async def subscribe(*_: object) -> Any:
        batches = [common_pb2.KvEventBatch(events=[stored(1)], dp_rank=each) for each in (MOST_RANKS - 1, rank, 0)]
        return _Answers(*batches)

    async def report(request: router_pb2.ReportLoadsRequest) -> None:
        reported_ranks.extend(change.rank for change in request.cache_changes)

    endpoint = EngineEndpoint(name="main", provider="vLLM", base_url="http://127.0.0.1:1", local=True)
    models = EngineModels(StrangersCode(TemplateRenderer(RunsHere()), TokenizerTrial(RunsHere())))
    assert await CacheWatch(endpoint, models, subscribe, report).step()
    assert reported_ranks == [MOST_RANKS - 1]
