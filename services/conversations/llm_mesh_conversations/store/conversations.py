"""Conversations in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, select

from llm_mesh.conversations.v1 import conversations_pb2, items_pb2
from llm_mesh_conversations.domain.errors import history_too_large
from llm_mesh_conversations.domain.paging import foreign_token
from llm_mesh_conversations.domain.values import ContentKey, ContentPlace, ResponseBounds
from llm_mesh_conversations.store.conversation_rows import ConversationRows, item_of
from llm_mesh_conversations.store.expiry import erasing
from llm_mesh_conversations.store.keys import at
from llm_mesh_conversations.store.tables import ITEMS
from llm_mesh_runtime.database import Database

_COLUMNS = (ITEMS.c.number, ITEMS.c.id, ITEMS.c.sealed)


class SqlConversations:
    """`ConversationStore`."""

    def __init__(self, database: Database, rows: ConversationRows) -> None:
        self._database = database
        self._rows = rows

    async def create(
        self, key: ContentKey, conversation: conversations_pb2.Conversation, items: Sequence[items_pb2.Item]
    ) -> conversations_pb2.Conversation | None:
        def work(connection: Connection) -> conversations_pb2.Conversation | None:
            return conversation if self._rows.insert(connection, key, conversation, items) else None

        return await self._database.write(work)

    async def get(self, place: ContentPlace, conversation: str) -> conversations_pb2.Conversation | None:
        return await self._database.read(lambda connection: self._rows.get(connection, place, conversation))

    async def update(self, place: ContentPlace, conversation: str, metadata: Mapping[str, str]) -> conversations_pb2.Conversation | None:
        def work(connection: Connection) -> conversations_pb2.Conversation | None:
            present = self._rows.get(connection, place, conversation)
            if present is None:
                return None
            present.ClearField("metadata")
            present.metadata.update(metadata)
            return present if self._rows.replace(connection, place, present) else None

        return await self._database.write(work)

    async def delete(self, place: ContentPlace, conversation: str) -> bool:
        def work(connection: Connection) -> bool:
            if self._rows.opened(connection, place, conversation, changing=True) is None:
                return False
            self._rows.remove(connection, place, [conversation])
            return True

        return await self._database.write(work)

    async def add(self, place: ContentPlace, conversation: str, items: Sequence[items_pb2.Item]) -> bool:
        return await self._database.write(lambda connection: self._rows.add(connection, place, conversation, items))

    async def page(
        self, place: ContentPlace, conversation: str, *, after: str, limit: int, newest_first: bool
    ) -> Sequence[items_pb2.Item] | None:
        own = (*at(ITEMS, place), ITEMS.c.conversation == conversation)
        statement = select(*_COLUMNS).where(*own).order_by(ITEMS.c.number.desc() if newest_first else ITEMS.c.number).limit(limit)

        def work(connection: Connection) -> list[items_pb2.Item] | None:
            opened = self._rows.opened(connection, place, conversation)
            if opened is None:
                return None
            part = statement
            if after:
                number = connection.scalar(select(ITEMS.c.number).where(*own, ITEMS.c.id == after))
                if number is None:
                    raise foreign_token()
                part = statement.where(ITEMS.c.number < number if newest_first else ITEMS.c.number > number)
            items = (item_of(opened[1], place, conversation, row) for row in connection.execute(part))
            return [item for item in items if item is not None]

        return await self._database.read(work)

    async def item(self, place: ContentPlace, conversation: str, item: str) -> items_pb2.Item | None:
        statement = select(*_COLUMNS).where(*at(ITEMS, place), ITEMS.c.conversation == conversation, ITEMS.c.id == item)

        def work(connection: Connection) -> items_pb2.Item | None:
            opened = self._rows.opened(connection, place, conversation)
            row = None if opened is None else connection.execute(statement).first()
            return None if opened is None or row is None else item_of(opened[1], place, conversation, row)

        return await self._database.read(work)

    async def delete_item(self, place: ContentPlace, conversation: str, item: str) -> bool:
        statement = delete(ITEMS).where(*at(ITEMS, place), ITEMS.c.conversation == conversation, ITEMS.c.id == item)

        def work(connection: Connection) -> bool:
            if self._rows.opened(connection, place, conversation, changing=True) is None:
                return False
            erasing(connection)
            return connection.execute(statement).rowcount > 0

        return await self._database.write(work)

    async def items(self, place: ContentPlace, conversation: str, bounds: ResponseBounds) -> Sequence[items_pb2.Item] | None:
        items = await self.page(place, conversation, after="", limit=bounds.messages + 1, newest_first=False)
        if items is not None and len(items) > bounds.messages:
            raise history_too_large(f"{bounds.messages} items")
        if items is not None and sum(item.ByteSize() for item in items) > bounds.history_bytes:
            raise history_too_large(f"{bounds.history_bytes} bytes")
        return items
