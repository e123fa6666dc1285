"""A background response always ends, whatever its store does meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from llm_mesh.conversations.v1 import responses_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_conversations.domain import run
from llm_mesh_conversations.domain.answers import JoinedEvents
from llm_mesh_conversations.domain.records import ResponseRecord
from llm_mesh_runtime.errors import MeshError, store_unavailable


class Answer:
    """The gateway's stream of three words, and then the end, or a failure."""

    def __init__(self, failure: Exception | None = None) -> None:
        self._failure = failure

    async def __aiter__(self) -> AsyncIterator[gateway_pb2.GenerateStreamResponse]:
        for word in ("one ", "two ", "three"):
            event = generate_pb2.StreamEvent(text=generate_pb2.TextDelta(text=word))
            yield gateway_pb2.GenerateStreamResponse(events=[event])
            await asyncio.sleep(0)
        if self._failure is not None:
            raise self._failure

    def cancel(self) -> None:
        pass


class Store:
    """Fails as often as it is told."""

    def __init__(self, *, appends: Exception | None = None, ends: int = 0) -> None:
        self._appends = appends
        self._ends = ends
        self.ended: list[Any] = []

    async def append(self, key: Any, identity: str, first: int, events: Sequence[Any]) -> bool:
        if self._appends is not None:
            raise self._appends
        return True

    async def end(self, key: Any, sealed: Any) -> None:
        if self._ends:
            self._ends -= 1
            raise store_unavailable("store")
        self.ended.append(sealed)


class Record:
    """How the response ended."""

    def __init__(self) -> None:
        self.response = responses_pb2.Response(id="resp_1")
        self.sealed = self.response
        self.outcome: Any = None

    def complete(self, events: Any, receipt: Any) -> None:
        self.outcome = "complete"

    def fail(self, failure: MeshError) -> None:
        self.outcome = failure.reason_name

    def cancel(self) -> None:
        self.outcome = "cancelled"


class Quick:
    """A back-off that does not wait."""

    def __init__(self, *_: float) -> None:
        pass

    async def wait(self) -> None:
        await asyncio.sleep(0)


async def outcome(store: Store, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(run, "Backoff", Quick)
    record = Record()
    working = run.Run(cast("Any", store), cast("Any", None), cast("ResponseRecord", record), most_bytes=1_000)
    await asyncio.wait_for(working.work(lambda: cast("Any", answer)), 10)
    assert len(store.ended) == 1
    assert working.ended.is_set()
    return record.outcome


@pytest.mark.parametrize(
    ("store", "answer", "expected"),
    [
        (Store(), Answer(), "complete"),
        (Store(appends=store_unavailable("store")), Answer(), "STORE_UNAVAILABLE"),
        (Store(appends=ValueError("a defect")), Answer(), "INTERNAL"),
        (Store(), Answer(ValueError("a defect")), "INTERNAL"),
        (Store(), Answer(store_unavailable("of another")), "STORE_UNAVAILABLE"),
        (Store(ends=30), Answer(), "complete"),
    ],
)
async def test_it_ends_once_and_says_how(store: Store, answer: Answer, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await outcome(store, answer, monkeypatch) == expected


def test_a_long_text_is_joined_once() -> None:
    joined = JoinedEvents()
    for number in range(1_000):
        joined.add(generate_pb2.StreamEvent(text=generate_pb2.TextDelta(text=f"{number} ")))
        if number == 500:
            assert joined.events[0].text.text == "".join(f"{each} " for each in range(501))
    joined.add(generate_pb2.StreamEvent(tool_call_started=generate_pb2.ToolCallStarted(id="c", name="f")))
    for piece in ("{", "}"):
        joined.add(generate_pb2.StreamEvent(tool_call=generate_pb2.ToolCallDelta(arguments_json=piece)))
    text, _, call = joined.events
    assert text.text.text == "".join(f"{each} " for each in range(1_000))
    assert call.tool_call.arguments_json == "{}"
