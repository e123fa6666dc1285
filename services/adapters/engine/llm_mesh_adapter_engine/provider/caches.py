"""Follows what an engine says of its prefix cache, and tells the router: hashes of blocks, and never the tokens in them."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from google.protobuf.message import DecodeError
from smg_grpc_proto.generated import common_pb2

from llm_mesh.router.v1 import router_pb2
from llm_mesh_adapter_engine.provider.failures import of_status
from llm_mesh_adapter_engine.provider.loads import LONGEST_PAUSE, Report
from llm_mesh_adapter_engine.provider.models import EngineModels
from llm_mesh_adapter_kit.dialect import Call
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, malformed
from llm_mesh_adapter_kit.exchange import Exchange
from llm_mesh_adapter_kit.framing import FramingError
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_kit.rpc.framing import RpcParser, framed
from llm_mesh_adapter_kit.rpc.statuses import checked
from llm_mesh_adapter_kit.watching import log_failure

OpenCall = Callable[[Endpoint, Call, Limits], Awaitable[Exchange]]
MOST_BLOCKS: Final = 4_096
"""Of one report."""
MOST_RANKS: Final = 4_096
"""Of one engine: as many data-parallel workers no deployment has."""
_FIRST_PAUSE: Final = 1.0
_DAY: Final = 86_400.0
_LIMITS: Final = Limits(connect=5, first_token=_DAY, idle=_DAY, total=_DAY)
_ABSENT: Final = "UNSUPPORTED"


class CacheWatch:
    """Watches the cache of one endpoint."""

    def __init__(self, endpoint: Endpoint, models: EngineModels, open_call: OpenCall, report: Report) -> None:
        self._endpoint = endpoint
        self._models = models
        self._open = open_call
        self._report = report
        self._reporter = secrets.token_hex(8)
        """Another process of this adapter may watch the same engine."""
        self._sequences: Counter[int] = Counter()
        """By rank: how many reports were made."""
        self.pause = _FIRST_PAUSE

    async def run(self) -> None:
        """Until cancelled, or until the engine says that it has no such method."""
        while await self.step():  # noqa: ASYNC110 - an engine has no event that could be waited for
            await asyncio.sleep(self.pause)

    async def step(self) -> bool:
        """Subscribes once, and follows to the end. Whether to subscribe again."""
        wire = self._models.wire(self._endpoint)
        request = common_pb2.SubscribeKvEventsRequest().SerializeToString()
        try:
            answer = await self._open(self._endpoint, Call(f"/{wire.service}/SubscribeKvEvents", framed(request)), _LIMITS)
            try:
                await self._follow(answer)
            finally:
                answer.close()
        except AdapterError as error:
            if error.reason_name == _ABSENT:
                return False
            log_failure(self._endpoint, error)
        self.pause = min(2 * self.pause, LONGEST_PAUSE)
        return True

    async def _follow(self, answer: Exchange) -> None:
        parser, begun = RpcParser(), set[int]()
        while piece := await answer.read():
            for batch in self._batches(parser, piece):
                self.pause = _FIRST_PAUSE
                rank = batch.dp_rank
                if not 0 <= rank < MOST_RANKS:
                    raise malformed(self._endpoint.name, f"rank {rank} of its workers")
                changes = list(_changes(batch))
                if rank not in begun and changes:
                    changes[0].reset = True  # another subscription: what came before may have been missed
                    begun.add(rank)
                for change in changes:
                    change.adapter, change.endpoint, change.rank = "engine", self._endpoint.name, rank
                    change.reporter, change.sequence = self._reporter, self._sequences[rank]
                    self._sequences[rank] += 1
                    await self._report(router_pb2.ReportLoadsRequest(cache_changes=[change]))

    def _batches(self, parser: RpcParser, piece: bytes) -> Iterator[common_pb2.KvEventBatch]:
        try:
            for frame in parser.feed(piece):
                yield common_pb2.KvEventBatch.FromString(checked(self._endpoint.name, frame, of_status))
        except (FramingError, DecodeError) as error:
            raise malformed(self._endpoint.name, str(error)) from None


def _changes(batch: common_pb2.KvEventBatch) -> Iterator[router_pb2.CacheChanges]:
    """What a batch changes, in reports of bounded size. Only blocks on the device, of full attention: others serve no prefix alone."""
    for event in batch.events:
        kind = event.WhichOneof("data")
        if kind == "cleared":
            yield router_pb2.CacheChanges(reset=True)
        elif kind == "removed" and _local(event.removed):
            hashes = event.removed.block_hashes
            for place in range(0, len(hashes), MOST_BLOCKS):
                yield router_pb2.CacheChanges(removed=hashes[place : place + MOST_BLOCKS])
        elif kind == "stored" and _local(event.stored):
            yield from _stored(event.stored)


def _stored(event: common_pb2.KvBlocksStored) -> Iterator[router_pb2.CacheChanges]:
    parent, blocks = event.parent_block_hash, event.blocks
    for place in range(0, len(blocks), MOST_BLOCKS):
        change = router_pb2.CacheChanges()
        for block in blocks[place : place + MOST_BLOCKS]:
            change.stored.add(hash=block.block_hash, parent=parent, tokens=block.block_size)
            parent = block.block_hash
        yield change


def _local(event: common_pb2.KvBlocksStored | common_pb2.KvBlocksRemoved) -> bool:
    on_device = event.tier in {common_pb2.KV_CACHE_TIER_UNSPECIFIED, common_pb2.KV_CACHE_TIER_DEVICE}
    return on_device and event.locality != common_pb2.KV_CACHE_LOCALITY_REMOTE and not event.group_idx
