"""Several instances share one store: each reads and ends what another one runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from llm_mesh.conversations.v1 import responses_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_conversations.domain.records import ResponseRecord
from llm_mesh_conversations.domain.runs import BackgroundRuns
from llm_mesh_conversations.domain.storing import StoringDecision
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.database import Database
from tests.conversations.content_world import asking
from tests.conversations.stored_content import TRIAGE, StoredContent, events, stored_content


class GatedStream:
    """`AnsweringStream`: says one word, and the next one once the gate opens."""

    def __init__(self, gate: asyncio.Event) -> None:
        self._gate = gate
        self.cancelled = False

    async def __aiter__(self) -> AsyncIterator[gateway_pb2.GenerateStreamResponse]:
        yield gateway_pb2.GenerateStreamResponse(events=events("a"))
        await self._gate.wait()
        yield gateway_pb2.GenerateStreamResponse(events=events("b"), receipt=gateway_pb2.Receipt(reservation="r"))

    def cancel(self) -> None:
        self.cancelled = True


class GatedGateway:
    """`AnsweringGateway`."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()

    def stream(self, request: Any, *, time_limit: float | None = None) -> GatedStream:
        del request, time_limit
        return GatedStream(self.gate)


def instance(content: StoredContent, gateway: GatedGateway) -> BackgroundRuns:
    return BackgroundRuns(content.responses, gateway, most=8, most_seconds=60, most_bytes=1_000_000, alone=False)


async def begun(content: StoredContent, runs: BackgroundRuns) -> str:
    """The id of a response that an instance runs."""
    record = ResponseRecord(TRIAGE, asking("Hi", background=True), StoringDecision(days=30), content.ids, SystemClock())
    await runs.begin(await content.key(), record, gateway_pb2.GenerateStreamRequest(), None)
    return record.response.id


async def test_a_reader_of_another_instance_misses_nothing(database: Database) -> None:
    content, gateway = await stored_content(database), GatedGateway()
    here, there = instance(content, gateway), instance(content, gateway)
    response = await begun(content, here)
    texts, last = [], responses_pb2.Response()
    async for message in there.follow(TRIAGE, response, 0):
        texts += [event.text.text for event in message.events]
        if message.events:
            gateway.gate.set()
        last = message.response if message.HasField("response") else last
    assert texts == ["a", "b"]
    assert last.status == responses_pb2.RESPONSE_STATUS_COMPLETED
    await here.close()


async def test_a_run_of_another_instance_is_cancelled(database: Database) -> None:
    content, gateway = await stored_content(database), GatedGateway()
    here, there = instance(content, gateway), instance(content, gateway)
    await here.start()
    response = await begun(content, here)
    await there.cancel(TRIAGE, response)
    stored = await content.responses.get(TRIAGE, response)
    assert stored is not None
    assert stored.response.response.status == responses_pb2.RESPONSE_STATUS_CANCELLED
    await here.close()


async def test_an_instance_that_ends_fails_what_it_ran(database: Database) -> None:
    content, gateway = await stored_content(database), GatedGateway()
    here = instance(content, gateway)
    response = await begun(content, here)
    await here.close()
    stored = await content.responses.get(TRIAGE, response)
    assert stored is not None
    assert stored.response.response.failure.reason == "RUN_LOST"
