"""Responses are made, stored, continued and deleted, as applications see it."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from llm_mesh.conversations.v1 import items_pb2, responses_pb2
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.conversations.content_world import asking, content_world, message, read_out


def texts(messages: object) -> list[str]:
    return ["".join(part.text.text for part in each.parts) for each in messages]  # type: ignore[attr-defined]


async def test_a_response_comes_with_numbered_events_and_is_stored_joined() -> None:
    async with content_world() as world:
        stream = [each async for each in world.responses().CreateResponse(asking("Hi", metadata={"a": "b"}, client_request=b"{}"))]
        assert stream[0].response.status == responses_pb2.RESPONSE_STATUS_IN_PROGRESS
        numbers = [each.first_event for each in stream if each.events]
        assert numbers == [0, 1, 2, 3, 4]
        assert stream[-1].response.status == responses_pb2.RESPONSE_STATUS_COMPLETED
        assert stream[-1].receipt.reservation == "r"
        stored = await world.responses("mk_bo").GetResponse(responses_pb2.GetResponseRequest(id=stream[0].response.id))
        assert stored.response.metadata == {"a": "b"}
        assert stored.response.client_request == b"{}"
        assert [event.text.text for event in stored.events if event.WhichOneof("kind") == "text"] == ["Hello world"]
        assert stored.receipt.reservation == "r"
        assert world.gateway.credentials == ["Bearer mk_ana"]


async def test_a_response_that_was_cut_short_is_incomplete() -> None:
    async with content_world() as world:
        world.gateway.finish = generate_pb2.FINISH_REASON_LENGTH
        assert (await world.create()).status == responses_pb2.RESPONSE_STATUS_INCOMPLETE


async def test_a_chain_of_responses_is_put_before_the_new_input_and_instructions_before_all() -> None:
    async with content_world() as world:
        instruction = content_pb2.Message(role=content_pb2.ROLE_DEVELOPER, parts=message("Be brief").parts)
        first = await world.create("one", instructions=[instruction])
        second = await world.create("two", previous_response=first.id)
        await world.create("three", previous_response=second.id, instructions=[instruction])
        sent = world.gateway.requests[-1].input.messages
        assert texts(sent) == ["Be brief", "one", "Hello world", "two", "Hello world", "three"]
        listed = await world.responses().ListInputItems(
            responses_pb2.ListInputItemsRequest(response=second.id, page=items_pb2.ItemPage(order=items_pb2.ITEM_ORDER_OLDEST_FIRST))
        )
        assert texts(item.message for item in listed.items) == ["one", "Hello world", "two"]


async def test_pages_of_input_items_continue_behind_the_last_one() -> None:
    async with content_world() as world:
        first = await world.create("one")
        second = await world.create("two", previous_response=first.id)
        page = items_pb2.ItemPage(page_size=2)
        newest = await world.responses().ListInputItems(responses_pb2.ListInputItemsRequest(response=second.id, page=page))
        page.page_token = newest.next_page_token
        older = await world.responses().ListInputItems(responses_pb2.ListInputItemsRequest(response=second.id, page=page))
        assert texts(item.message for item in (*newest.items, *older.items)) == ["two", "Hello world", "one"]
        assert not older.next_page_token


async def test_a_failure_after_content_is_stored_and_one_before_is_not() -> None:
    async with content_world() as world:
        world.gateway.fails_after = 1
        call: Any = world.responses().CreateResponse(asking("Hi"))
        response = (await call.read()).response.id
        with pytest.raises(grpc.aio.AioRpcError):
            await read_out(call)
        stored = await world.responses().GetResponse(responses_pb2.GetResponseRequest(id=response))
        assert stored.response.status == responses_pb2.RESPONSE_STATUS_FAILED
        assert stored.response.failure.reason == "ANSWER_INTERRUPTED"
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await world.create("again", previous_response=response)
        assert from_rpc_error(failure.value).reason_name == "PREVIOUS_RESPONSE_NOT_COMPLETED"


async def test_a_deleted_response_is_gone_with_everything_that_continues_it() -> None:
    async with content_world() as world:
        first = await world.create("one")
        second = await world.create("two", previous_response=first.id)
        await world.responses().DeleteResponse(responses_pb2.DeleteResponseRequest(id=first.id))
        for failing in (
            world.responses().GetResponse(responses_pb2.GetResponseRequest(id=first.id)),
            world.responses().DeleteResponse(responses_pb2.DeleteResponseRequest(id=first.id)),
            world.responses().ListInputItems(responses_pb2.ListInputItemsRequest(response=second.id)),
            world.create("three", previous_response=second.id),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await failing
            assert from_rpc_error(failure.value).reason_name == "STORED_CONTENT_NOT_FOUND"


@pytest.mark.parametrize("cause", ["request", "retention", "zero_retention", "bounds"])
async def test_what_may_not_be_stored_is_answered_and_says_so(cause: str) -> None:
    async with content_world(retention_days=0 if cause == "retention" else 30) as world:
        world.policy.bound = {"domains/claims"} if cause == "zero_retention" else set()
        request = asking("Hi")
        request.options.bounds.zero_retention = cause == "bounds"
        if cause == "request":
            request.store = False
        stream = [each async for each in world.responses().CreateResponse(request)]
        ended = stream[-1].response
        assert (ended.stored, ended.unstored_cause, ended.status) == (False, cause, responses_pb2.RESPONSE_STATUS_COMPLETED)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await world.responses().GetResponse(responses_pb2.GetResponseRequest(id=ended.id))
        assert from_rpc_error(failure.value).reason_name == "STORED_CONTENT_NOT_FOUND"
        if cause != "request":
            request.store = True
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await world.responses().CreateResponse(request).read()
            error = from_rpc_error(failure.value)
            assert (error.reason_name, error.field, error.metadata["cause"]) == ("STORING_NOT_ALLOWED", "store", cause)


async def test_a_key_of_several_projects_has_to_select_one() -> None:
    async with content_world() as world:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await world.create(key="mk_wide")
        assert from_rpc_error(failure.value).reason_name == "PROJECT_NOT_SELECTED"


async def test_a_chain_is_bounded_and_so_is_what_a_project_stores() -> None:
    async with content_world(most_chained_responses=2, most_responses=3) as world:
        last = ""
        for _ in range(3):
            last = (await world.create(previous_response=last) if last else await world.create()).id
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await world.create(previous_response=last, store=False)
        assert from_rpc_error(failure.value).reason_name == "HISTORY_TOO_LARGE"
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await world.create()
        assert from_rpc_error(failure.value).reason_name == "QUOTA_EXCEEDED"
        assert len(world.gateway.requests) == 3


async def test_a_caller_that_leaves_ends_the_answer() -> None:
    async with content_world() as world:
        world.gateway.gates[1] = asyncio.Event()
        call: Any = world.responses().CreateResponse(asking("Hi"))
        await call.read()
        await call.read()
        call.cancel()
        await asyncio.wait_for(world.gateway.cancelled.wait(), 30)
