"""Responses that run in the background: they go on when their caller leaves, and readers see what is durable.

Events are stored in batches, and only then shown. So what a reader has seen is there after a crash, and a reader that comes again with a
number gets each later event once. A run whose instance ended is ended as RUN_LOST by whichever instance finds it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Final

from llm_mesh.conversations.v1 import responses_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_conversations.domain.errors import content_not_found, run_lost, too_many_runs
from llm_mesh_conversations.domain.ports import AnsweringGateway, ResponseStore
from llm_mesh_conversations.domain.records import ResponseRecord
from llm_mesh_conversations.domain.run import Run
from llm_mesh_conversations.domain.values import ENDED, ContentKey, ContentPlace, StoredEvents
from llm_mesh_runtime.context import FRAME
from llm_mesh_runtime.refresh import repeat
from llm_mesh_runtime.shares import Party, Shares
from llm_mesh_runtime.tasks import TaskSet

POLL: Final = 0.25
"""Seconds between looks at a response that another instance runs."""
_BEAT: Final = 1.0
_LOST_AFTER: Final = 30.0
_CANCELLED_WITHIN: Final = 10.0


class BackgroundRuns:
    """The runs of this instance, and the readers of all."""

    def __init__(
        self, store: ResponseStore, gateway: AnsweringGateway, *, most: int, most_seconds: float, most_bytes: int, alone: bool
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._places = Shares(most)
        self._most_seconds = most_seconds
        self._most_bytes = most_bytes
        self._alone = alone
        """No other instance shares the store: whatever runs there when this one starts is lost."""
        self._instance = secrets.token_hex(16)
        self._runs: dict[str, Run] = {}
        self._tasks = TaskSet()

    async def start(self) -> None:
        """Ends what an earlier instance left, and watches over the runs from now on."""
        if self._alone:
            while await self._store.lose(silent_for=0, instance=self._instance):
                pass
        self._tasks.spawn(repeat(self._beat, _BEAT, failing="heartbeat of background responses failed"), name="conversations.beat")
        if not self._alone:
            watch = repeat(self._lose, _LOST_AFTER / 2, failing="search for lost responses failed")
            self._tasks.spawn(watch, name="conversations.lost")

    async def close(self) -> None:
        """Ends all runs. They are stored as failed."""
        for run in list(self._runs.values()):
            run.cancel(run_lost())
        for run in list(self._runs.values()):
            await run.ended.wait()
        await self._tasks.close()

    async def begin(self, key: ContentKey, record: ResponseRecord, asking: gateway_pb2.GenerateStreamRequest, party: Party | None) -> None:
        """Stores a response as running, and runs it. TOO_MANY_BACKGROUND_RESPONSES where the caller's domain has its share."""
        if not self._places.take(party):
            raise too_many_runs()
        response = record.response.id
        begun = False
        try:
            begun = await self._store.begin(key, record.sealed, self._instance)
        finally:
            if not begun:
                self._places.give(party)
        if not begun:  # erased meanwhile, with everything of its author
            raise content_not_found("input")
        run = self._runs[response] = Run(self._store, key, record, most_bytes=self._most_bytes)
        frame = FRAME.get()

        async def work() -> None:
            FRAME.set(frame.detached() if frame is not None else None)
            try:
                await run.work(lambda: self._gateway.stream(asking, time_limit=self._most_seconds))
            finally:
                del self._runs[response]
                self._places.give(party)

        run.task = self._tasks.spawn(work(), name="conversations.run")

    async def follow(self, place: ContentPlace, response: str, first: int) -> AsyncIterator[responses_pb2.ResumeResponseResponse]:
        """The record, each stored event from a number on once, and the record as it ended."""
        begun = False
        while True:
            run = self._runs.get(response)
            progress = run.progress if run is not None else None
            stored = await self._store.get(place, response, first)
            if stored is None:
                raise content_not_found("id")
            if not begun:
                begun = True
                yield responses_pb2.ResumeResponseResponse(response=stored.response.response)
            if stored.events:
                yield responses_pb2.ResumeResponseResponse(events=stored.events, first_event=stored.first)
                first = stored.first + len(stored.events)
            if stored.more:
                continue
            if stored.response.response.status in ENDED:
                last = responses_pb2.ResumeResponseResponse(response=stored.response.response)
                if stored.response.HasField("receipt"):
                    last.receipt.CopyFrom(stored.response.receipt)
                yield last
                return
            if run is not None and progress is not None:
                await run.further(progress, POLL)
            else:
                await asyncio.sleep(POLL)

    async def read_whole(self, place: ContentPlace, response: str) -> StoredEvents | None:
        """A response with all its stored events."""
        stored = await self._store.get(place, response)
        if stored is None or not stored.response.response.background:
            return stored if stored is None else StoredEvents(stored.response, 0, stored.response.events)
        events = list(stored.events)
        while stored.more:
            further = await self._store.get(place, response, len(events))
            if further is None:
                return None
            stored = further
            events += further.events
        return StoredEvents(stored.response, 0, events)

    async def cancel(self, place: ContentPlace, response: str) -> None:
        """Ends a run, wherever it runs, and waits for its end for some seconds."""
        run = self._runs.get(response)
        if run is not None:
            run.cancel()
            await run.ended.wait()
            return
        await self._store.request_cancel(place, response)
        for _ in range(int(_CANCELLED_WITHIN / POLL)):
            stored = await self._store.get(place, response)
            if stored is None or stored.response.response.status in ENDED:
                return
            await asyncio.sleep(POLL)

    async def abandon(self, response: str) -> None:
        """Ends the run of a response that was deleted. Another instance notices by itself."""
        run = self._runs.get(response)
        if run is not None:
            run.cancel()
            await run.ended.wait()

    async def _beat(self) -> None:
        for response in await self._store.beat(self._instance, list(self._runs)):
            run = self._runs.get(response)
            if run is not None:
                run.cancel()

    async def _lose(self) -> None:
        while await self._store.lose(silent_for=_LOST_AFTER, instance=self._instance):
            pass
