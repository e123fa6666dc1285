"""Observability as its servicer sees it: events in; sums, tails and feedback out."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from llm_mesh.observability.v1 import errors_pb2, observability_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_observability.domain import queries
from llm_mesh_observability.domain.errors import ObservabilityError, too_many_tails
from llm_mesh_observability.domain.feed import TailFeed
from llm_mesh_observability.domain.ports import LedgerOfRecord, Projection
from llm_mesh_observability.domain.resume_tokens import ResumeTokens
from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.errors import MeshError, invalid
from llm_mesh_runtime.limiter import Limiter
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.resources import Page
from llm_mesh_runtime.shares import RESERVE, Party, Shares

_MOST_EVENTS = 500
_PER_MESSAGE = 200
_MOST_BEHIND = 5_000
_GATHERING = 0.1
"""Seconds between two messages of a tail that keeps up, so that many tails of one busy domain cost a bounded part of the time."""
_UNHURRIED = 16
"""Tails of one domain, beyond which each of them has its messages less often: all of a domain cost what so many do."""
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What callers share."""

    tails: int = 256
    queries: int = 16
    queue: int = 1024
    reserve: float = RESERVE


class Observatory:
    """Keeps the projection, and answers questions about it."""

    def __init__(
        self,
        store: Projection,
        ledger: LedgerOfRecord,
        tokens: ResumeTokens,
        *,
        tail_pause: float,
        tail_lifetime: float,
        bounds: Bounds | None = None,
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._ledger = ledger
        self._tail_lifetime = tail_lifetime
        self._feed = TailFeed(store, tail_pause)
        limits = bounds or Bounds()
        self._open: Counter[str] = Counter()
        """Tails, by the domain of who reads them."""
        self._tails = Shares(limits.tails, limits.reserve)
        self._turns = Limiter(limits.queries, limits.queue, limits.reserve)
        self._catching_up = False

    async def ingest(self, events: Sequence[usage_pb2.UsageEvent]) -> int:
        """Takes events of the outbox in."""
        if len(events) > _MOST_EVENTS:
            raise invalid("events", f"must be at most {_MOST_EVENTS}")
        reached = await self._store.ingest(events, live=True)
        self._feed.tell()
        return reached

    async def spend(
        self, request: observability_pb2.QuerySpendRequest, page: Page, party: Party | None = None
    ) -> tuple[Sequence[observability_pb2.SpendRow], str, int]:
        """Sums, the token of the next page, and the sequence up to which everything is in them: for those alone who see the sums of all."""
        queries.check_dimensions(request)
        start, end = queries.span_of(request)
        offset = int(page.after) if page.after.isdecimal() else 0
        scope = queries.scope_of(request.parent)
        query = queries.SpendQuery(scope, start, end, request.group_by, request.tag_key, offset, page.limit)
        async with self._turns.slot(party):
            through = await self._store.through()
            rows = await self._store.spend(query)
        shown, token = page.cut(rows, key=lambda _: str(offset + page.size))
        return shown, token, through if scope == queries.Scope() else 0

    async def tail(
        self, request: observability_pb2.TailRequest, party: Party | None = None
    ) -> AsyncIterator[observability_pb2.TailResponse]:
        """Requests as they come, until the tail's lifetime is over."""
        scope = queries.scope_of(request.parent)
        backlog = request.backlog
        resumed = self._tokens.sequence(request.resume_token)
        if not self._tails.take(party):
            raise too_many_tails(self._tails.places)
        domain = "" if party is None else party.domain
        self._open[domain] += 1
        try:
            async with self._feed.following(scope):
                async for message in self._tailed(scope, backlog, resumed, party):
                    yield message
        finally:
            self._tails.give(party)
            self._open[domain] -= 1
            if not self._open[domain]:
                del self._open[domain]

    async def _tailed(
        self, scope: queries.Scope, backlog: int, resumed: int | None, party: Party | None
    ) -> AsyncIterator[observability_pb2.TailResponse]:
        feed, now = self._feed, asyncio.get_running_loop().time
        at = feed.reached if resumed is None else resumed
        if backlog and resumed is None:
            async with self._turns.slot(party):
                older = await self._store.last(scope, backlog)
            yield observability_pb2.TailResponse(entries=[sighting.entry for sighting in older], resume_token=self._tokens.token(at))
        end = now() + self._tail_lifetime
        while (left := end - now()) > 0:
            lost, reached = 0, feed.reached
            sightings = feed.newer(scope, at, _PER_MESSAGE)
            if sightings is None:
                async with self._turns.slot(party):
                    if reached - at > _MOST_BEHIND:  # of all scopes: the entries of this one may be fewer
                        lost, at = await self._store.skip(scope, at, _MOST_BEHIND)
                    sightings = await self._store.since(scope, at, _PER_MESSAGE)
            full = len(sightings) == _PER_MESSAGE
            at = sightings[-1].sequence if full else max(reached, at, sightings[-1].sequence if sightings else 0)
            if sightings or lost:
                entries = [sighting.entry for sighting in sightings]
                yield observability_pb2.TailResponse(entries=entries, resume_token=self._tokens.token(at), lost=lost)
            if not full:
                gathering = _GATHERING * max(1.0, self._open["" if party is None else party.domain] / _UNHURRIED)
                await asyncio.sleep(min(left, gathering if sightings else 0))
                if feed.reached == reached:
                    at = max(at, await feed.arrival(scope, left))
                    if gathering > _GATHERING:  # what wakes hundreds of tails is not worked off in one turn of the loop
                        await asyncio.sleep(random.uniform(0, min(left, gathering)))  # noqa: S311 (spreads work, guards nothing)

    async def entry(self, name: str, party: Party | None = None) -> usage_pb2.LedgerEntry:
        """A request by its name."""
        queries.checked_request(name, "name")
        async with self._turns.slot(party):
            return await self._store.entry(name)

    async def add_feedback(self, parent: str, feedback: observability_pb2.Feedback, principal: str) -> observability_pb2.Feedback:
        """Keeps what somebody says of an answer."""
        queries.checked_request(parent, "parent")
        stored = observability_pb2.Feedback()
        stored.CopyFrom(feedback)
        stored.principal = principal
        return await self._store.add_feedback(parent, stored)

    async def feedback(self, parent: str, page: Page, party: Party | None = None) -> tuple[Sequence[observability_pb2.Feedback], str]:
        """What was said of a request, and the token of the next page."""
        queries.checked_request(parent, "parent")
        async with self._turns.slot(party):
            rows = await self._store.feedback(parent, page)
        return page.cut(rows, key=lambda feedback: feedback.name.rsplit("/", 1)[-1])

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
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        try:
            while not await self._caught_up():
                await backoff.wait()
        finally:
            self._catching_up = False

    async def _caught_up(self) -> bool:
        try:
            through = await self._store.begin_catching_up(anew=False)
            async for events in self._ledger.replay(through + 1):
                await self._store.ingest(events, live=False)
                self._feed.tell()
            await self._store.end_catching_up()
        except MeshError as error:
            get_logger().warning("the ledger could not be read; it is tried again", error=str(error))
            return False
        return True
