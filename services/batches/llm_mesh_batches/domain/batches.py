"""Batches: how they begin, what is shown of them, how they are stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta

import orjson

from llm_mesh.batches.v1 import batches_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_batches.domain.errors import batch_not_ended, batch_not_found, results_deleted
from llm_mesh_batches.domain.ports import BatchStore, CallerDelegations, ListQuery, NewLine
from llm_mesh_batches.domain.tenants import ResourceIds, Tenant
from llm_mesh_runtime.clock import Clock
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.heavy import HeavyWork
from llm_mesh_runtime.resources import page_of

_GRACE = timedelta(hours=1)
"""Lines that were begun in time may be repeated this long after, where their process was lost."""
_MICROSECOND = timedelta(microseconds=1)


class Batches:
    """Creates, shows, stops and deletes batches."""

    def __init__(  # noqa: PLR0913 (what creating a batch needs)
        self,
        store: BatchStore,
        ids: ResourceIds,
        delegations: CallerDelegations,
        heavy: HeavyWork,
        *,
        clock: Clock,
        window: timedelta,
        line_bytes: int,
        created: Callable[[], None],
    ) -> None:
        self._store = store
        self._ids = ids
        self._delegations = delegations
        self._heavy = heavy
        self._clock = clock
        self._window = window
        self._line_bytes = line_bytes
        self._created = created

    async def create(self, tenant: Tenant, caller: resources_pb2.Sealed, request: batches_pb2.CreateBatchRequest) -> batches_pb2.Batch:
        """A batch, whose lines are worked off with the caller's rights."""
        batch = batches_pb2.Batch(
            id=self._ids.new_batch(tenant),
            endpoint=request.endpoint,
            state=batches_pb2.BATCH_STATE_IN_PROGRESS,
            output_file=self._ids.new_file(tenant),
            error_file=self._ids.new_file(tenant),
            metadata=request.metadata,
        )
        lines: Sequence[NewLine] = ()
        if request.WhichOneof("source") == "input_file":
            batch.input_file = self._ids.file(tenant, request.input_file, "input_file")
            batch.state = batches_pb2.BATCH_STATE_VALIDATING
        else:
            size = request.ByteSize()
            lines = await self._heavy.run(tenant.domain, size, lambda: self._lines(request.requests.requests))
        until = self._clock.now() + self._window + _GRACE
        delegation = await self._delegations.create(caller, until, f"batches/{batch.id}")
        created = await self._store.create(tenant, batch, delegation, lines, window=self._window // _MICROSECOND)
        self._created()
        return created

    async def get(self, tenant: Tenant, identity: str) -> batches_pb2.Batch:
        """The batch. BATCH_NOT_FOUND."""
        batch = await self._store.get(tenant, self._ids.batch(tenant, identity))
        if batch is None:
            raise batch_not_found()
        return batch

    async def page(self, tenant: Tenant, request: batches_pb2.ListBatchesRequest) -> tuple[Sequence[batches_pb2.Batch], str]:
        """Some batches, and the token of the next page."""
        after = self._ids.batch(tenant, request.after, "after") if request.after else ""
        page = page_of(request, *tenant, str(request.endpoint), after, str(request.ascending))
        batches = await self._store.page(tenant, ListQuery(page, request.endpoint, after, request.ascending))
        return page.cut(batches, lambda batch: batch.id)

    async def cancel(self, tenant: Tenant, identity: str) -> batches_pb2.Batch:
        """Stops it. BATCH_NOT_FOUND, BATCH_ENDED."""
        batch = await self._store.cancel(tenant, self._ids.batch(tenant, identity))
        self._created()
        return batch

    async def delete(self, tenant: Tenant, identity: str) -> None:
        """Deletes it. BATCH_NOT_FOUND, BATCH_NOT_ENDED."""
        await self._store.delete(tenant, self._ids.batch(tenant, identity))

    async def results(self, tenant: Tenant, identity: str) -> AsyncIterator[batches_pb2.ReadResultsResponse]:
        """Its results, some at a time."""
        batch = await self.get(tenant, identity)
        if not batch.HasField("end_time"):
            raise batch_not_ended()
        if batch.HasField("results_delete_time"):
            raise results_deleted()
        after = 0
        while results := await self._store.results(tenant, batch.id, after):
            yield batches_pb2.ReadResultsResponse(results=[each.result for each in results])
            after = results[-1].sequence

    def _lines(self, requests: Sequence[batches_pb2.BatchRequest]) -> list[NewLine]:
        """The lines of requests, each checked."""
        seen: set[str] = set()
        lines = []
        for index, request in enumerate(requests):
            place = f"requests.requests[{index}]"
            if request.custom_id in seen:
                raise invalid(f"{place}.custom_id", "must be another one: a request before it has the same")
            seen.add(request.custom_id)
            if len(request.body_json) > self._line_bytes:
                raise invalid(f"{place}.body_json", f"at most {self._line_bytes} bytes, by LLM_MESH_BATCHES_LINE_BYTES")
            if not _is_object(request.body_json):
                raise invalid(f"{place}.body_json", "must be a JSON object in UTF-8")
            lines.append(NewLine(index + 1, request.custom_id, request.body_json))
        return lines


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(orjson.loads(body), dict)
    except orjson.JSONDecodeError:
        return False
