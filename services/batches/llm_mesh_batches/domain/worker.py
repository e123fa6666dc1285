"""Works batches off: takes lines as there is room, fairly between projects, and lets others go first where there is none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from llm_mesh.batches.v1 import batches_pb2
from llm_mesh_batches.domain.line_work import LineWork
from llm_mesh_batches.domain.ports import ActiveBatch, ClaimedLine, Housekeeping, QueueStore
from llm_mesh_batches.domain.reading import FileReader
from llm_mesh_batches.domain.tenants import Tenant
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.shares import Party, Shares
from llm_mesh_runtime.tasks import TaskSet

_STOPPING = (batches_pb2.BATCH_STATE_CANCELLING, batches_pb2.BATCH_STATE_EXPIRING)
_POLL = 1.0
_ROUND = 0.02
_PURGE = 60.0
_CLOSING = 15.0


class Worker:
    """One instance's share of the work."""

    def __init__(  # noqa: PLR0913 (all that a batch goes through)
        self,
        queue: QueueStore,
        lines: LineWork,
        reader: FileReader,
        housekeeping: Housekeeping,
        *,
        owner: str,
        places: int,
        project_places: int,
        lease: float,
        busy: Callable[[], bool],
    ) -> None:
        self._queue = queue
        self._lines = lines
        self._reader = reader
        self._housekeeping = housekeeping
        self._owner = owner
        self._shares = Shares(places)
        self._project_places = project_places
        self._lease = lease
        self._busy = busy
        self._loops = TaskSet()
        self._work = TaskSet()
        self._reading: set[str] = set()
        self._held: dict[Tenant, int] = {}
        self._under_way: dict[str, set[int]] = {}
        """By batch the numbers of the lines that are worked off."""
        self._pauses: dict[Tenant, float] = {}
        self._wake = asyncio.Event()
        self._started = False

    def start(self) -> None:
        """Look for work from now on."""
        self._started = True
        self._loops.spawn(self._rounds(), name="batches.rounds")
        self._loops.spawn(self._repeat(self._renew, self._lease / 3), name="batches.lease")
        self._loops.spawn(self._repeat(self._purge, _PURGE), name="batches.housekeeping")

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    async def close(self) -> None:
        """Takes no more lines, waits a while for those under way, and leaves the rest to others."""
        if not self._started:
            return  # the mesh did not start: there may be no tables yet
        await self._loops.close()
        try:
            async with asyncio.timeout(_CLOSING):
                await self._work.join()
        except TimeoutError:
            await self._work.close()
        try:
            await self._queue.release(self._owner)
        except MeshError as error:
            get_logger().warning("lines stay this instance's until its lease is over", error=str(error))

    async def _rounds(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.round()
            except MeshError as error:
                get_logger().warning("batches wait", error=str(error))
            try:
                async with asyncio.timeout(_POLL):
                    await self._wake.wait()
                await asyncio.sleep(_ROUND)  # what ends at the same time is followed by one round
            except TimeoutError:
                pass

    async def idle(self) -> None:
        """Returns once nothing is under way."""
        await self._work.join()

    async def round(self) -> None:
        """Looks at each batch that goes on, and begins what there is room for."""
        for batch in await self._queue.active():
            try:
                await self._go_on(batch)
            except Exception as error:  # noqa: BLE001 (one batch must not stop the others)
                get_logger().warning("a batch waits", batch=batch.id, error=str(error), exc_info=not isinstance(error, MeshError))

    async def _go_on(self, batch: ActiveBatch) -> None:
        if batch.state == batches_pb2.BATCH_STATE_VALIDATING:
            self._read(batch)
        elif batch.state in _STOPPING:
            await self._take(batch)
            while await self._queue.sweep(batch):
                pass
        elif batch.now >= batch.expires:
            await self._queue.stop(batch, batches_pb2.BATCH_STATE_EXPIRING)
            self._wake.set()
        else:
            await self._take(batch)

    def _read(self, batch: ActiveBatch) -> None:
        if batch.id in self._reading:
            return
        self._reading.add(batch.id)
        self._work.spawn(self._read_whole(batch), name="batches.reading")

    async def _read_whole(self, batch: ActiveBatch) -> None:
        try:
            await self._reader.read(batch)
        except MeshError as error:
            get_logger().warning("the file of a batch is read again later", batch=batch.id, error=str(error))
            await asyncio.sleep(_POLL)
        finally:
            self._reading.discard(batch.id)
            self._wake.set()

    async def _take(self, batch: ActiveBatch) -> None:
        """Takes as many lines of the batch as there is room for."""
        if self._busy() or self._pauses.get(batch.tenant, 0.0) > time.monotonic():
            return
        party = Party(batch.tenant.domain, batch.tenant.project)
        free = self._project_places - self._held.get(batch.tenant, 0)
        places = 0
        while places < free and self._shares.take(party):
            places += 1
        if not places:
            return
        claimed: Sequence[ClaimedLine] = ()
        try:
            claimed = await self._queue.claim(batch, self._owner, places, self._lease)
        finally:
            if unused := places - len(claimed):
                self._shares.give(party, unused)
        for line in claimed:
            self._held[batch.tenant] = self._held.get(batch.tenant, 0) + 1
            self._under_way.setdefault(line.batch, set()).add(line.number)
            self._work.spawn(self._line(line, party), name="batches.line")

    async def _line(self, line: ClaimedLine, party: Party) -> None:
        try:
            pause = await self._lines.work(line)
            if pause:
                self._pauses[line.tenant] = time.monotonic() + pause
            else:
                self._pauses.pop(line.tenant, None)
        finally:
            self._shares.give(party)
            self._under_way[line.batch].discard(line.number)
            if not self._under_way[line.batch]:
                del self._under_way[line.batch]
            self._held[line.tenant] -= 1
            if not self._held[line.tenant]:
                del self._held[line.tenant]
            self._wake.set()

    async def _repeat(self, work: Callable[[], object], seconds: float) -> None:
        while True:
            try:
                await work()  # type: ignore[misc]
            except MeshError as error:
                get_logger().warning("batches could not look after the store", error=str(error))
            await asyncio.sleep(seconds)

    async def _renew(self) -> None:
        if self._under_way:
            await self._queue.renew(self._owner, {batch: tuple(numbers) for batch, numbers in self._under_way.items()}, self._lease)

    async def _purge(self) -> None:
        while await self._housekeeping.purge():
            pass
