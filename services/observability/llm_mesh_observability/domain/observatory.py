"""Observability as its servicer sees it: events in; sums, tails and feedback out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from llm_mesh.observability.v1 import errors_pb2, observability_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_observability.domain import queries
from llm_mesh_observability.domain.errors import ObservabilityError
from llm_mesh_observability.domain.ports import Ledger, Projection
from llm_mesh_runtime.errors import MeshError, invalid
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.resources import Page

_MOST_EVENTS = 500
_PER_MESSAGE = 200
_MOST_BEHIND = 5_000
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 30.0


class Observatory:
    """Keeps the projection, and answers questions about it."""

    def __init__(self, store: Projection, ledger: Ledger, *, tail_pause: float, tail_lifetime: float) -> None:
        self._store = store
        self._ledger = ledger
        self._tail_pause = tail_pause
        self._tail_lifetime = tail_lifetime
        self._news = asyncio.Event()
        self._catching_up = False

    async def ingest(self, events: Sequence[usage_pb2.UsageEvent]) -> int:
        """Takes events of the outbox in."""
        if len(events) > _MOST_EVENTS:
            raise invalid("events", f"must be at most {_MOST_EVENTS}")
        reached = await self._store.ingest(events, live=True)
        self._tell()
        return reached

    async def spend(
        self, request: observability_pb2.QuerySpendRequest, page: Page
    ) -> tuple[Sequence[observability_pb2.SpendRow], str, int]:
        """Sums, the token of the next page, and the sequence up to which everything is in them."""
        queries.check_dimensions(request)
        start, end = queries.span_of(request)
        offset = int(page.after) if page.after.isdecimal() else 0
        scope = queries.scope_of(request.parent)
        query = queries.SpendQuery(scope, start, end, request.group_by, request.tag_key, offset, page.limit)
        through = await self._store.through()
        rows = await self._store.spend(query)
        shown, token = page.cut(rows, key=lambda _: str(offset + page.size))
        return shown, token, through

    async def tail(self, request: observability_pb2.TailRequest) -> AsyncIterator[observability_pb2.TailResponse]:
        """Requests as they come, until the tail's lifetime is over."""
        scope = queries.scope_of(request.parent)
        backlog = queries.checked_backlog(request.backlog)
        resumed = queries.sequence_of(request.resume_token)
        at = await self._store.latest() if resumed is None else resumed
        if backlog and resumed is None:
            older = await self._store.last(scope, backlog)
            yield observability_pb2.TailResponse(entries=[sighting.entry for sighting in older], resume_token=str(at))
        end = asyncio.get_running_loop().time() + self._tail_lifetime
        while asyncio.get_running_loop().time() < end:
            news = self._news
            lost, at = await self._skipped(at)
            found = await self._store.since(scope, at, _PER_MESSAGE)
            if found or lost:
                at = found[-1].sequence if found else at
                entries = [sighting.entry for sighting in found]
                yield observability_pb2.TailResponse(entries=entries, resume_token=str(at), lost=lost)
            if len(found) < _PER_MESSAGE:
                await self._wait(news)

    async def entry(self, name: str) -> usage_pb2.LedgerEntry:
        """A request by its name."""
        return await self._store.entry(queries.checked_request(name, "name"))

    async def add_feedback(self, parent: str, feedback: observability_pb2.Feedback, principal: str) -> observability_pb2.Feedback:
        """Keeps what somebody says of an answer."""
        queries.checked_request(parent, "parent")
        kept = observability_pb2.Feedback()
        kept.CopyFrom(queries.checked_feedback(feedback))
        kept.principal = principal
        return await self._store.add_feedback(parent, kept)

    async def feedback(self, parent: str, page: Page) -> tuple[Sequence[observability_pb2.Feedback], str]:
        """What was said of a request, and the token of the next page."""
        queries.checked_request(parent, "parent")
        return page.cut(await self._store.feedback(parent, page), key=lambda said: said.name.rsplit("/", 1)[-1])

    async def begin_rebuild(self) -> int:
        """Forgets the projection; `catch_up` builds it anew. Answers with the sequence that it must reach."""
        if self._catching_up:
            raise ObservabilityError(errors_pb2.ERROR_REASON_REBUILD_RUNNING, "a rebuild is going on")
        self._catching_up = True
        try:
            target = await self._store.latest()
            await self._store.begin_catching_up(anew=True)
        except BaseException:
            self._catching_up = False
            raise
        return target

    async def catch_up(self) -> None:
        """Reads from the ledger whatever is not known yet; while the ledger is away, again and again."""
        self._catching_up = True
        pause = _FIRST_PAUSE
        try:
            while not await self._caught_up():
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
        finally:
            self._catching_up = False

    async def _caught_up(self) -> bool:
        try:
            through = await self._store.begin_catching_up(anew=False)
            async for events in self._ledger.replay(through + 1):
                await self._store.ingest(events, live=False)
                self._tell()
            await self._store.end_catching_up()
        except MeshError as error:
            get_logger().warning("the ledger could not be read; it is tried again", error=str(error))
            return False
        return True

    async def _skipped(self, at: int) -> tuple[int, int]:
        """How many events a slow reader is too far behind for, and where it goes on."""
        behind = await self._store.latest() - at
        return (0, at) if behind <= _MOST_BEHIND else (behind - _MOST_BEHIND, at + behind - _MOST_BEHIND)

    async def _wait(self, news: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self._tail_pause):
                await news.wait()
        except TimeoutError:
            return

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
