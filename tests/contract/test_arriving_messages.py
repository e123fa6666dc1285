"""Messages of known callers that never become whole: they hold their sender's share of what gRPC may hold, and nobody else's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from llm_mesh.policy.v1 import admission_pb2
from llm_mesh_runtime.host.listeners import GrpcBounds
from llm_mesh_runtime.links.remote import SLACK
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.pipeline import Arrivals, arriving
from llm_mesh_runtime.pipeline.transport import MAX_MESSAGE
from llm_mesh_runtime.settings import MeshSettings
from llm_mesh_runtime.shares import Party
from llm_mesh_runtime.testing import FakePolicy, HostedMesh, host
from tests.contract.echo import CONTRACT, Echo, messages, service, stub

UPLOADS = 256 * 1024 * 1024
ANA, DORA = "mk_ana", "mk_dora"
MOST = 4
"""Of seven places a principal alone may hold so many."""


@asynccontextmanager
async def echoing() -> AsyncIterator[tuple[HostedMesh, Echo, Arrivals]]:
    echo = Echo()
    policy = FakePolicy()
    policy.keys[DORA] = admission_pb2.Caller(principal="domains/fraud/principals/dora", domain="domains/fraud")
    async with host(service(echo), policy=policy, grpc_uploads=UPLOADS) as mesh:
        for key in (ANA, DORA):
            await stub(mesh.application("echo", key=key)).Say(say(key))
        yield mesh, echo, mesh.hosts["echo"].listeners["#public"].arrivals


def say(name: str, **fields: Any) -> Any:
    return messages().SayRequest(name=name, **fields)


async def never() -> AsyncIterator[Any]:
    await asyncio.Event().wait()
    yield b""


def unended(mesh: HostedMesh, key: str) -> Any:
    """A call whose message does not come."""
    return mesh.application("echo", key=key).stream_unary(f"/{CONTRACT}/Say")(never())


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 (gRPC tells nobody)
            await asyncio.sleep(0)


async def reached(arrivals: Arrivals, taken: int, waiting: int = 0) -> None:
    await until(lambda: (arrivals.places.active, arrivals.places.waiting) == (taken, waiting))


async def test_places_are_as_many_as_the_largest_messages_that_fit_into_the_bytes() -> None:
    """`security.md` has the figures: 31 messages of at most 32 MiB by default, which are 1 GiB with what gRPC allows beside."""
    assert MeshSettings().grpc_uploads == GrpcBounds().uploads == 1024 * 1024 * 1024
    assert GrpcBounds().messages == 31
    assert 31 * (MAX_MESSAGE + SLACK) <= GrpcBounds().uploads < 32 * (MAX_MESSAGE + SLACK)
    async with echoing() as (_, _, arrivals):
        places = [arrivals.place_of(Party(f"domains/{number}")) for number in range(8)]
        assert places.index(None) == 7


async def test_who_sends_no_end_has_a_share_and_waits_for_itself() -> None:
    async with echoing() as (mesh, echo, arrivals):
        calls = [unended(mesh, ANA) for _ in range(MOST + 2)]
        await reached(arrivals, MOST, waiting=2)
        served = echo.calls
        ana = asyncio.ensure_future(stub(mesh.application("echo", key=ANA)).Say(say("behind")))
        await reached(arrivals, MOST, waiting=3)
        assert (await stub(mesh.application("echo", key=DORA)).Say(say("another"))).name == "another"
        assert echo.calls == served + 1
        for each in calls:
            each.cancel()
        assert (await ana).name == "behind"
        await reached(arrivals, 0)


async def test_what_waits_for_a_place_ends_with_its_time() -> None:
    async with echoing() as (mesh, _, arrivals):
        calls = [unended(mesh, ANA) for _ in range(MOST)]
        await reached(arrivals, MOST)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub(mesh.application("echo", key=ANA)).Say(say("late"), timeout=0.2)
        assert raised.value.code() in {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
        for each in calls:
            each.cancel()
        await reached(arrivals, 0)


async def test_a_message_that_is_read_in_its_turn_must_come_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "ARRIVAL", 0.05)
    async with echoing() as (mesh, _, arrivals):
        held = [arrivals.place_of(Party("domains/claims", "domains/claims/principals/ana")) for _ in range(MOST)]
        late = unended(mesh, ANA)
        await reached(arrivals, MOST, waiting=1)
        held.pop()
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await late
        assert (raised.value.code(), from_rpc_error(raised.value).message) == (
            grpc.StatusCode.DEADLINE_EXCEEDED,
            "the message did not arrive within 0.05 s",
        )
        held.clear()
        await reached(arrivals, 0)


async def test_large_messages_hold_their_places_until_their_work_begins() -> None:
    async with echoing() as (mesh, echo, arrivals):
        channel, large = mesh.application("echo", key=ANA), say("large", body=b"x" * (MAX_MESSAGE // 16))
        answers = await asyncio.gather(*(stub(channel).Say(large) for _ in range(2 * MOST)))
        assert {each.name for each in answers} == {"large"}
        stalled = stub(channel).Say(say("stalled", body=large.body, behaviour="stall"))
        seen = echo.calls
        await until(lambda: echo.calls > seen)
        await reached(arrivals, 0)
        stalled.cancel()


@pytest.mark.parametrize("size", [1, 64 * 1024, 64 * 1024 + 1])
def test_only_a_large_message_keeps_its_place_once_it_is_whole(size: int) -> None:
    arrivals = Arrivals(7)
    place = arrivals.place_of(Party("domains/claims"))
    assert place is not None
    waiting = place.arrived(b"x" * size)
    del place
    assert arrivals.places.active == (size > 64 * 1024)
    if not isinstance(waiting, bytes):
        waiting.waits_no_more()
    assert arrivals.places.active == 0
