"""Conversations: lists of items that responses continue and add to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from llm_mesh.conversations.v1 import conversations_pb2, items_pb2
from llm_mesh.inference.v1 import content_pb2
from llm_mesh_conversations.domain.errors import content_not_found
from llm_mesh_conversations.domain.ids import IdKind, StoredIds
from llm_mesh_conversations.domain.paging import page_size, shown
from llm_mesh_conversations.domain.ports import ConversationStore
from llm_mesh_conversations.domain.records import new_items
from llm_mesh_conversations.domain.storing import StoringRules
from llm_mesh_conversations.domain.values import ContentPlace, place_of
from llm_mesh_runtime.clock import Clock
from llm_mesh_runtime.context import Caller

T = TypeVar("T")


class StoredConversations:
    """Creates, reads and changes conversations."""

    def __init__(self, store: ConversationStore, storing: StoringRules, ids: StoredIds, clock: Clock) -> None:
        self._store = store
        self._storing = storing
        self._ids = ids
        self._clock = clock

    async def create(self, caller: Caller, request: conversations_pb2.CreateConversationRequest) -> conversations_pb2.Conversation:
        """A new conversation. STORING_NOT_ALLOWED, QUOTA_EXCEEDED."""
        place = place_of(caller)
        decision = await self._storing.demand(place, "conversation")
        key = await self._storing.key_of(caller, request.end_user)
        conversation = conversations_pb2.Conversation(id=self._ids.new(IdKind.CONVERSATION, place), metadata=request.metadata)
        conversation.create_time.FromDatetime(self._clock.now())
        conversation.expire_time.FromDatetime(self._clock.now() + timedelta(days=decision.days))
        created = await self._store.create(key, conversation, new_items(self._ids, place, request.items, self._clock))
        return _present(created, "conversation")

    async def get(self, caller: Caller, conversation: str) -> conversations_pb2.Conversation:
        """A conversation."""
        place = self._place(caller, conversation, "id")
        return _present(await self._store.get(place, conversation), "id")

    async def update(self, caller: Caller, conversation: str, metadata: Mapping[str, str]) -> conversations_pb2.Conversation:
        """Replaces the metadata."""
        place = self._place(caller, conversation, "id")
        return _present(await self._store.update(place, conversation, metadata), "id")

    async def delete(self, caller: Caller, conversation: str) -> None:
        """Deletes a conversation with its items."""
        if not await self._store.delete(self._place(caller, conversation, "id"), conversation):
            raise content_not_found("id")

    async def add(self, caller: Caller, conversation: str, messages: Sequence[content_pb2.Message]) -> Sequence[items_pb2.Item]:
        """Adds items at the end."""
        place = self._place(caller, conversation, "conversation")
        await self._storing.demand(place, "items")
        items = new_items(self._ids, place, messages, self._clock)
        if not await self._store.add(place, conversation, items):
            raise content_not_found("conversation")
        return items

    async def page(self, caller: Caller, conversation: str, page: items_pb2.ItemPage) -> tuple[Sequence[items_pb2.Item], str]:
        """A page of items, and the token of the next one."""
        place = self._place(caller, conversation, "conversation")
        if page.page_token:
            self._ids.checked(IdKind.ITEM, place, page.page_token, "page.page_token")
        newest_first = page.order != items_pb2.ITEM_ORDER_OLDEST_FIRST
        limit = page_size(page) + 1
        items = await self._store.page(place, conversation, after=page.page_token, limit=limit, newest_first=newest_first)
        return shown(_present(items, "conversation"), page)

    async def item(self, caller: Caller, conversation: str, item: str) -> items_pb2.Item:
        """An item of a conversation, by its id."""
        place = self._place(caller, conversation, "conversation")
        self._ids.checked(IdKind.ITEM, place, item, "id")
        return _present(await self._store.item(place, conversation, item), "id")

    async def delete_item(self, caller: Caller, conversation: str, item: str) -> conversations_pb2.Conversation:
        """Deletes one item; answers with its conversation."""
        place = self._place(caller, conversation, "conversation")
        self._ids.checked(IdKind.ITEM, place, item, "id")
        if not await self._store.delete_item(place, conversation, item):
            raise content_not_found("id")
        return _present(await self._store.get(place, conversation), "conversation")

    def _place(self, caller: Caller, conversation: str, field: str) -> ContentPlace:
        place = place_of(caller)
        self._ids.checked(IdKind.CONVERSATION, place, conversation, field)
        return place


def _present(value: T | None, field: str) -> T:
    if value is None:
        raise content_not_found(field)
    return value
