"""Conversations and their items, as applications see them."""

from __future__ import annotations

import grpc
import pytest

from llm_mesh.conversations.v1 import conversations_pb2 as pb
from llm_mesh.conversations.v1 import items_pb2
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.conversations.content_world import ContentWorld, content_world, message
from tests.conversations.test_conversations_responses import texts


async def made(world: ContentWorld, *words: str) -> str:
    request = pb.CreateConversationRequest(metadata={"topic": "x"}, items=[message(word) for word in words])
    return (await world.conversations().CreateConversation(request)).conversation.id


async def test_a_conversation_is_made_read_changed_and_deleted() -> None:
    async with content_world() as world:
        stub, conversation = world.conversations("mk_bo"), await made(world)
        assert (await stub.GetConversation(pb.GetConversationRequest(id=conversation))).conversation.metadata == {"topic": "x"}
        updated = await stub.UpdateConversation(pb.UpdateConversationRequest(id=conversation, metadata={"b": "2"}))
        assert updated.conversation.metadata == {"b": "2"}
        assert (await stub.GetConversation(pb.GetConversationRequest(id=conversation))).conversation == updated.conversation
        await stub.DeleteConversation(pb.DeleteConversationRequest(id=conversation))
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await stub.GetConversation(pb.GetConversationRequest(id=conversation))
        assert from_rpc_error(failure.value).reason_name == "STORED_CONTENT_NOT_FOUND"


async def test_items_are_added_listed_in_pages_both_ways_and_deleted() -> None:
    async with content_world() as world:
        stub, conversation = world.conversations(), await made(world, "one", "two")
        added = await stub.CreateItems(pb.CreateItemsRequest(conversation=conversation, items=[message("three")]))
        for order, words in (
            (items_pb2.ITEM_ORDER_OLDEST_FIRST, ["one", "two", "three"]),
            (items_pb2.ITEM_ORDER_NEWEST_FIRST, ["three", "two", "one"]),
        ):
            page = items_pb2.ItemPage(page_size=2, order=order)
            first = await stub.ListItems(pb.ListItemsRequest(conversation=conversation, page=page))
            page.page_token = first.next_page_token
            last = await stub.ListItems(pb.ListItemsRequest(conversation=conversation, page=page))
            assert texts(item.message for item in (*first.items, *last.items)) == words
            assert not last.next_page_token
        third = added.items[0]
        assert (await stub.GetItem(pb.GetItemRequest(conversation=conversation, id=third.id))).item == third
        await stub.DeleteItem(pb.DeleteItemRequest(conversation=conversation, id=third.id))
        for failing in (
            stub.GetItem(pb.GetItemRequest(conversation=conversation, id=third.id)),
            stub.DeleteItem(pb.DeleteItemRequest(conversation=conversation, id=third.id)),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await failing
            assert from_rpc_error(failure.value).reason_name == "STORED_CONTENT_NOT_FOUND"


async def test_a_response_continues_a_conversation_and_adds_to_it() -> None:
    async with content_world() as world:
        conversation = await made(world, "zero")
        await world.create("one", conversation=conversation)
        await world.create("two", conversation=conversation, store=False)
        await world.create("three", conversation=conversation)
        assert texts(world.gateway.requests[-1].input.messages) == ["zero", "one", "Hello world", "three"]
        page = items_pb2.ItemPage(order=items_pb2.ITEM_ORDER_OLDEST_FIRST)
        listed = await world.conversations().ListItems(pb.ListItemsRequest(conversation=conversation, page=page))
        assert texts(item.message for item in listed.items) == ["zero", "one", "Hello world", "three", "Hello world"]


async def test_a_conversation_has_bounds_and_a_refused_addition_changes_nothing() -> None:
    async with content_world(most_items=20, most_conversations=1) as world:
        conversation = await made(world, *(["x"] * 20))
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await world.conversations().CreateItems(pb.CreateItemsRequest(conversation=conversation, items=[message("y")]))
        assert from_rpc_error(failure.value).reason_name == "QUOTA_EXCEEDED"
        listed = await world.conversations().ListItems(pb.ListItemsRequest(conversation=conversation))
        assert texts(item.message for item in listed.items) == ["x"] * 20
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await made(world)
        assert from_rpc_error(failure.value).reason_name == "QUOTA_EXCEEDED"


async def test_nothing_is_stored_where_policy_forbids_it() -> None:
    async with content_world() as world:
        world.policy.bound = {"domains/claims"}
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await made(world)
        assert from_rpc_error(failure.value).metadata["cause"] == "zero_retention"
