"""Answers requests with the help of what was said before, and stores the answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from llm_mesh.conversations.v1 import items_pb2, responses_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_conversations.domain.answers import JoinedEvents
from llm_mesh_conversations.domain.errors import content_not_found, not_in_background, response_too_large
from llm_mesh_conversations.domain.history import History, whole_request
from llm_mesh_conversations.domain.ids import IdKind, StoredIds
from llm_mesh_conversations.domain.paging import cut
from llm_mesh_conversations.domain.ports import AnsweringGateway, ResponseStore
from llm_mesh_conversations.domain.records import ResponseRecord
from llm_mesh_conversations.domain.runs import BackgroundRuns
from llm_mesh_conversations.domain.storing import StoringRules
from llm_mesh_conversations.domain.values import ENDED, ContentKey, ResponseBounds, StoredEvents, place_of
from llm_mesh_runtime.clock import Clock
from llm_mesh_runtime.context import Caller
from llm_mesh_runtime.errors import MeshError

CreatedStream = AsyncIterator[responses_pb2.CreateResponseResponse]


class ResponseMaking(NamedTuple):
    """What a response is made with."""

    storing: StoringRules
    history: History
    gateway: AnsweringGateway
    ids: StoredIds
    clock: Clock


class Responses:
    """Creates, reads and ends responses."""

    def __init__(self, store: ResponseStore, runs: BackgroundRuns, making: ResponseMaking, bounds: ResponseBounds) -> None:
        self._store = store
        self._runs = runs
        self._storing, self._history, self._gateway, self._ids, self._clock = making
        self._bounds = bounds

    async def create(self, caller: Caller, request: responses_pb2.CreateResponseRequest) -> CreatedStream:
        """Answers a request: the record, the events, the record as it ended."""
        place = place_of(caller)
        decision = await self._storing.decide(place, request)
        asking = whole_request(request, await self._history.before(place, request))
        key = None
        if decision.stored:
            await self._store.check_room(place)
            key = await self._storing.key_of(caller, request.input.end_user)
        record = ResponseRecord(place, request, decision, self._ids, self._clock)
        if request.background and key is not None:
            await self._runs.begin(key, record, asking, caller.party)
            async for resumed in self._runs.follow(place, record.response.id, 0):
                yield responses_pb2.CreateResponseResponse.FromString(resumed.SerializeToString())
            return
        yield responses_pb2.CreateResponseResponse(response=record.response)
        async for message in self._answered(key, record, asking):
            yield message

    async def get(self, caller: Caller, response: str) -> StoredEvents:
        """A stored response with its events."""
        place = place_of(caller)
        self._ids.checked(IdKind.RESPONSE, place, response, "id")
        stored = await self._runs.read_whole(place, response)
        if stored is None:
            raise content_not_found("id")
        return stored

    async def resume(self, caller: Caller, response: str, first: int) -> AsyncIterator[responses_pb2.ResumeResponseResponse]:
        """The events of a background response from a number on."""
        place = place_of(caller)
        self._check_background(await self.get(caller, response))
        async for message in self._runs.follow(place, response, first):
            yield message

    async def cancel(self, caller: Caller, response: str) -> StoredEvents:
        """Ends a background response; answers once it has ended."""
        stored = await self.get(caller, response)
        self._check_background(stored)
        if stored.response.response.status in ENDED:
            return stored
        await self._runs.cancel(place_of(caller), response)
        return await self.get(caller, response)

    async def delete(self, caller: Caller, response: str) -> None:
        """Deletes a response; one that runs is ended."""
        place = place_of(caller)
        self._ids.checked(IdKind.RESPONSE, place, response, "id")
        if not await self._store.delete(place, response):
            raise content_not_found("id")
        await self._runs.abandon(response)

    async def input_items(self, caller: Caller, response: str, page: items_pb2.ItemPage) -> tuple[Sequence[items_pb2.Item], str]:
        """A page of the items that a response was made from, and the token of the next one."""
        place = place_of(caller)
        items = await self._history.input_items(place, response)
        return cut(items if page.order == items_pb2.ITEM_ORDER_OLDEST_FIRST else list(reversed(items)), page)

    @staticmethod
    def _check_background(stored: StoredEvents) -> None:
        if not stored.response.response.background:
            raise not_in_background()

    async def _answered(self, key: ContentKey | None, record: ResponseRecord, asking: gateway_pb2.GenerateStreamRequest) -> CreatedStream:
        """An answer that ends with its caller."""
        joined, number, receipt = JoinedEvents(), 0, gateway_pb2.Receipt()
        stream = self._gateway.stream(asking)
        try:
            async for answer in stream:
                receipt.MergeFrom(answer.receipt)
                answer.ClearField("receipt")
                if not answer.ByteSize():
                    continue
                message = responses_pb2.CreateResponseResponse.FromString(answer.SerializeToString())
                message.first_event = number
                number += len(answer.events)
                for event in answer.events:
                    joined.add(event)
                yield message
        except MeshError as failure:
            if number:
                record.fail(failure)
                await self._stored(key, record, joined)
            raise
        finally:
            stream.cancel()
        record.complete(joined.events, receipt)
        await self._stored(key, record, joined)
        yield responses_pb2.CreateResponseResponse(response=record.response, receipt=receipt)

    async def _stored(self, key: ContentKey | None, record: ResponseRecord, joined: JoinedEvents) -> None:
        if key is None:
            return
        if joined.bytes > self._bounds.response_bytes:
            record.leave_unstored(response_too_large(self._bounds.response_bytes).reason_name.lower())
            return
        record.sealed.events.extend(joined.events)
        try:
            if not await self._store.end(key, record.sealed):
                record.leave_unstored("erased")
        except MeshError as failure:  # the answer is whole, and charged: its caller has it, and is told that it is not stored
            record.leave_unstored(failure.reason_name.lower())
