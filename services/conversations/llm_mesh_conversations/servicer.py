"""The RPCs of conversations: unpack, one call of the domain, pack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from llm_mesh.conversations.v1 import (
    conversations_pb2,
    conversations_pb2_grpc,
    responses_pb2,
    responses_pb2_grpc,
    retention_pb2,
    retention_pb2_grpc,
)
from llm_mesh_runtime.context import caller

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from llm_mesh_conversations.domain.conversations import StoredConversations
    from llm_mesh_conversations.domain.responses import Responses
    from llm_mesh_conversations.domain.retention import RetentionRules

    Context = ServicerContext[Any, Any]


class ResponseServicer(responses_pb2_grpc.ResponseServiceServicer):
    """Responses: made, read, ended."""

    def __init__(self, responses: Responses) -> None:
        self._responses = responses

    async def CreateResponse(
        self, request: responses_pb2.CreateResponseRequest, context: Context
    ) -> AsyncIterator[responses_pb2.CreateResponseResponse]:
        async for message in self._responses.create(caller(), request):
            yield message

    async def GetResponse(self, request: responses_pb2.GetResponseRequest, context: Context) -> responses_pb2.GetResponseResponse:
        stored = await self._responses.get(caller(), request.id)
        receipt = stored.response.receipt if stored.response.HasField("receipt") else None
        return responses_pb2.GetResponseResponse(response=stored.response.response, events=stored.events, receipt=receipt)

    async def ResumeResponse(
        self, request: responses_pb2.ResumeResponseRequest, context: Context
    ) -> AsyncIterator[responses_pb2.ResumeResponseResponse]:
        async for message in self._responses.resume(caller(), request.id, request.first_event):
            yield message

    async def CancelResponse(self, request: responses_pb2.CancelResponseRequest, context: Context) -> responses_pb2.CancelResponseResponse:
        stored = await self._responses.cancel(caller(), request.id)
        return responses_pb2.CancelResponseResponse(response=stored.response.response, events=stored.events)

    async def DeleteResponse(self, request: responses_pb2.DeleteResponseRequest, context: Context) -> responses_pb2.DeleteResponseResponse:
        await self._responses.delete(caller(), request.id)
        return responses_pb2.DeleteResponseResponse()

    async def ListInputItems(self, request: responses_pb2.ListInputItemsRequest, context: Context) -> responses_pb2.ListInputItemsResponse:
        items, token = await self._responses.input_items(caller(), request.response, request.page)
        return responses_pb2.ListInputItemsResponse(items=items, next_page_token=token)


class ConversationServicer(conversations_pb2_grpc.ConversationServiceServicer):
    """Conversations and their items."""

    def __init__(self, conversations: StoredConversations) -> None:
        self._conversations = conversations

    async def CreateConversation(
        self, request: conversations_pb2.CreateConversationRequest, context: Context
    ) -> conversations_pb2.CreateConversationResponse:
        return conversations_pb2.CreateConversationResponse(conversation=await self._conversations.create(caller(), request))

    async def GetConversation(
        self, request: conversations_pb2.GetConversationRequest, context: Context
    ) -> conversations_pb2.GetConversationResponse:
        return conversations_pb2.GetConversationResponse(conversation=await self._conversations.get(caller(), request.id))

    async def UpdateConversation(
        self, request: conversations_pb2.UpdateConversationRequest, context: Context
    ) -> conversations_pb2.UpdateConversationResponse:
        updated = await self._conversations.update(caller(), request.id, request.metadata)
        return conversations_pb2.UpdateConversationResponse(conversation=updated)

    async def DeleteConversation(
        self, request: conversations_pb2.DeleteConversationRequest, context: Context
    ) -> conversations_pb2.DeleteConversationResponse:
        await self._conversations.delete(caller(), request.id)
        return conversations_pb2.DeleteConversationResponse()

    async def CreateItems(self, request: conversations_pb2.CreateItemsRequest, context: Context) -> conversations_pb2.CreateItemsResponse:
        items = await self._conversations.add(caller(), request.conversation, request.items)
        return conversations_pb2.CreateItemsResponse(items=items)

    async def ListItems(self, request: conversations_pb2.ListItemsRequest, context: Context) -> conversations_pb2.ListItemsResponse:
        items, token = await self._conversations.page(caller(), request.conversation, request.page)
        return conversations_pb2.ListItemsResponse(items=items, next_page_token=token)

    async def GetItem(self, request: conversations_pb2.GetItemRequest, context: Context) -> conversations_pb2.GetItemResponse:
        return conversations_pb2.GetItemResponse(item=await self._conversations.item(caller(), request.conversation, request.id))

    async def DeleteItem(self, request: conversations_pb2.DeleteItemRequest, context: Context) -> conversations_pb2.DeleteItemResponse:
        conversation = await self._conversations.delete_item(caller(), request.conversation, request.id)
        return conversations_pb2.DeleteItemResponse(conversation=conversation)


class RetentionServicer(retention_pb2_grpc.RetentionServiceServicer):
    """How long content is stored, and its erasure."""

    def __init__(self, retention: RetentionRules) -> None:
        self._retention = retention

    async def GetRetention(self, request: retention_pb2.GetRetentionRequest, context: Context) -> retention_pb2.GetRetentionResponse:
        return retention_pb2.GetRetentionResponse(retention=await self._retention.get(request.project))

    async def UpdateRetention(
        self, request: retention_pb2.UpdateRetentionRequest, context: Context
    ) -> retention_pb2.UpdateRetentionResponse:
        days = request.days if request.HasField("days") else None
        return retention_pb2.UpdateRetentionResponse(retention=await self._retention.update(request.project, days))

    async def EraseContent(self, request: retention_pb2.EraseContentRequest, context: Context) -> retention_pb2.EraseContentResponse:
        return await self._retention.erase(request)
