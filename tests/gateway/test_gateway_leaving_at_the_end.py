"""A caller who is lost when the last piece of its answer is written: the answer is whole, and is handed over to be kept."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_gateway.domain.execution.remainder import LateUsage
from llm_mesh_gateway.domain.execution.repeating import RetryBounds
from llm_mesh_gateway.domain.execution.retry_budget import RetryBudget
from llm_mesh_gateway.domain.gateway import Gateway, Request
from llm_mesh_gateway.domain.operation import Generation
from llm_mesh_gateway.domain.outlets import Streamed
from llm_mesh_gateway.domain.ports import Piece
from llm_mesh_gateway.domain.recording import RECORDED, RecordingRoom
from llm_mesh_gateway.domain.settlements import Settlements
from llm_mesh_runtime.context import Caller
from tests.gateway.conftest import request as asking
from tests.gateway.fakes import attempt, choice_finished, failover, report, started, text


@dataclass
class Peers:
    """Policy, router and adapters, which answer at once."""

    settled: asyncio.Queue[policy_pb2.SettleRequest] = field(default_factory=asyncio.Queue)
    pieces: list[Piece] = field(default_factory=list)

    async def admit(self, request: policy_pb2.AdmitRequest) -> policy_pb2.AdmitResponse:
        del request
        return policy_pb2.AdmitResponse()

    async def plan(self, request: router_pb2.PlanRequest) -> router_pb2.PlanResponse:
        del request
        return router_pb2.PlanResponse(plan=failover(attempt(1)), decision_id="d1")

    async def reserve(self, request: policy_pb2.ReserveRequest) -> policy_pb2.ReserveResponse:
        del request
        return policy_pb2.ReserveResponse(answer_limit_bytes=10_000)

    async def settle(self, request: policy_pb2.SettleRequest, *, time_limit: float | None = None) -> policy_pb2.SettleResponse:
        del time_limit
        self.settled.put_nowait(request)
        return policy_pb2.SettleResponse()

    def stream(self, adapter: str, request: adapter_pb2.GenerateStreamRequest) -> Peers:
        del adapter, request
        return self

    async def next(self) -> Piece | None:
        return self.pieces.pop(0)

    def cancel(self) -> None:
        """Nothing runs."""

    def note(self, *_: object) -> None:
        """Nobody looks at outcomes here."""


def gateway(peers: Any) -> Gateway:
    room = RecordingRoom(10_000)
    return Gateway(
        catalogue=peers,
        rights=peers,
        policy=peers,
        router=peers,
        adapters=peers,
        settlements=Settlements(peers, room=room, late_usage=LateUsage(seconds=5, size=64 * 1024)),
        outcomes=peers,
        budget=RetryBudget(ratio=0.1, floor=3),
        bounds=RetryBounds(0, 0),
        transforms={},
        epoch="e",
        room=room,
    )


@pytest.mark.parametrize(("blocked", "is_kept"), [(1, True), (0, False)], ids=["at the last piece", "before it"])
async def test_an_answer_whose_caller_leaves_is_kept_where_it_is_whole(blocked: int, is_kept: bool) -> None:  # noqa: FBT001
    peers = Peers(pieces=[Piece(events=[started(), text("hello")]), Piece(events=[text(" world"), choice_finished()], report=report())])
    written: list[bytes] = []
    waits = asyncio.Event()

    async def write(raw: bytes) -> None:
        written.append(raw)
        if len(written) > blocked:
            waits.set()
            await asyncio.Event().wait()

    given = asking(gateway_pb2.GenerateStreamRequest, options=gateway_pb2.RequestOptions(idempotency_key="once"))
    caller = Caller("key", project="domains/claims/projects/triage", domain="domains/claims", sealed=resources_pb2.Sealed())
    request = Request(Generation(given.input, streamed=True, exact=False), given.options, caller, "r", time.monotonic())
    answering = asyncio.create_task(gateway(peers).answer(request, Streamed(write), gateway_pb2.Receipt()))
    await waits.wait()
    answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answering
    settled = await asyncio.wait_for(peers.settled.get(), 10)
    assert settled.HasField("answer") is is_kept
    if is_kept:
        assert (settled.answer.type, settled.idempotency_key) == (RECORDED, "once")
        recorded = gateway_pb2.RecordedAnswer.FromString(settled.answer.content)
        events = [event for raw in recorded.messages for event in gateway_pb2.GenerateStreamResponse.FromString(raw).events]
        assert "".join(event.text.text for event in events) == "hello world"
        assert isinstance(events[0].started, generate_pb2.Started)
