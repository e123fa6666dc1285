"""Responses that run in the background: readers come and go, and none misses an event or sees one twice."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from llm_mesh.conversations.v1 import responses_pb2
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.conversations.content_world import ContentWorld, asking, content_world, read_out


async def begun(world: ContentWorld, **fields: Any) -> str:
    """The id of a background response, whose caller has left."""
    call: Any = world.responses().CreateResponse(asking("Hi", background=True, **fields))
    response: str = (await call.read()).response.id
    call.cancel()
    return response


async def ended(world: ContentWorld, response: str, first: int = 0) -> tuple[list[int], responses_pb2.Response]:
    """The numbers of the events from one on, and the response as it ended."""
    request = responses_pb2.ResumeResponseRequest(id=response, first_event=first)
    numbers: list[int] = []
    last = responses_pb2.Response()
    async for each in world.responses("mk_bo").ResumeResponse(request):
        numbers += range(each.first_event, each.first_event + len(each.events))
        last = each.response if each.HasField("response") else last
    return numbers, last


async def test_a_run_goes_on_when_its_caller_leaves_and_readers_resume_by_number() -> None:
    async with content_world() as world:
        gate = world.gateway.gates[2] = asyncio.Event()
        response = await begun(world)
        reading: Any = world.responses().ResumeResponse(responses_pb2.ResumeResponseRequest(id=response))
        seen = 0
        while seen < 3:  # while it runs, up to the gate
            seen += len((await reading.read()).events)
        reading.cancel()
        running = await world.responses().GetResponse(responses_pb2.GetResponseRequest(id=response))
        assert running.response.status == responses_pb2.RESPONSE_STATUS_IN_PROGRESS
        assert len(running.events) == 3
        gate.set()
        assert await ended(world, response, 3) == (
            [3, 4],
            (await world.responses().GetResponse(responses_pb2.GetResponseRequest(id=response))).response,
        )
        numbers, last = await ended(world, response)
        assert numbers == [0, 1, 2, 3, 4]
        assert last.status == responses_pb2.RESPONSE_STATUS_COMPLETED
        whole = await world.responses().GetResponse(responses_pb2.GetResponseRequest(id=response))
        assert "".join(event.text.text for event in whole.events) == "Hello world"
        assert whole.receipt.reservation == "r"
        await world.create("go on", previous_response=response)


async def test_a_cancelled_run_stops_the_provider_and_keeps_what_came() -> None:
    async with content_world() as world:
        world.gateway.gates[1] = asyncio.Event()
        response = await begun(world)
        cancelled = await world.responses("mk_bo").CancelResponse(responses_pb2.CancelResponseRequest(id=response))
        assert cancelled.response.status == responses_pb2.RESPONSE_STATUS_CANCELLED
        await asyncio.wait_for(world.gateway.cancelled.wait(), 30)
        again = await world.responses().CancelResponse(responses_pb2.CancelResponseRequest(id=response))
        assert again.response == cancelled.response


async def test_a_deleted_run_ends_and_its_readers_too() -> None:
    async with content_world() as world:
        world.gateway.gates[1] = asyncio.Event()
        response = await begun(world)
        reading: Any = world.responses().ResumeResponse(responses_pb2.ResumeResponseRequest(id=response))
        await reading.read()
        await world.responses().DeleteResponse(responses_pb2.DeleteResponseRequest(id=response))
        await asyncio.wait_for(world.gateway.cancelled.wait(), 30)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await read_out(reading)
        assert from_rpc_error(failure.value).reason_name == "STORED_CONTENT_NOT_FOUND"


async def test_a_failed_run_says_why() -> None:
    async with content_world() as world:
        world.gateway.fails_after = 1
        _, last = await ended(world, await begun(world))
        assert (last.status, last.failure.reason) == (responses_pb2.RESPONSE_STATUS_FAILED, "ANSWER_INTERRUPTED")


async def test_an_answer_that_is_too_large_to_store_fails_its_run() -> None:
    async with content_world(most_response_bytes=64 * 1024) as world:
        world.gateway.words = ("x" * 40_000, "y" * 40_000)
        _, last = await ended(world, await begun(world))
        assert (last.status, last.failure.reason) == (responses_pb2.RESPONSE_STATUS_FAILED, "RESPONSE_TOO_LARGE")


async def test_runs_are_bounded_and_a_place_is_free_again_after_each() -> None:
    async with content_world(most_background_runs=1) as world:
        gate = world.gateway.gates[0] = asyncio.Event()
        response = await begun(world)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await begun(world)
        assert from_rpc_error(failure.value).reason_name == "TOO_MANY_BACKGROUND_RESPONSES"
        gate.set()
        await ended(world, response)
        await ended(world, await begun(world))


async def test_only_background_responses_are_cancelled_and_resumed() -> None:
    async with content_world() as world:
        response = (await world.create()).id
        for failing in (
            world.responses().CancelResponse(responses_pb2.CancelResponseRequest(id=response)),
            world.responses().ResumeResponse(responses_pb2.ResumeResponseRequest(id=response)).read(),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await failing
            assert from_rpc_error(failure.value).reason_name == "NOT_IN_BACKGROUND"


async def test_background_is_refused_where_nothing_is_stored() -> None:
    async with content_world(retention_days=0) as world:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await begun(world)
        assert (from_rpc_error(failure.value).reason_name, from_rpc_error(failure.value).field) == ("STORING_NOT_ALLOWED", "background")
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await begun(world, store=False)
        assert (from_rpc_error(failure.value).reason_name, from_rpc_error(failure.value).field) == ("INVALID_FIELD", "store")
