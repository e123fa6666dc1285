"""Rows of conversations and their items, within a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from llm_mesh.conversations.v1 import conversations_pb2, items_pb2
from llm_mesh_conversations.domain.values import ContentKey, ContentPlace
from llm_mesh_conversations.store.expiry import ContentExpiry, erasing
from llm_mesh_conversations.store.keys import SqlContentKeys, at
from llm_mesh_conversations.store.room import ContentRoom
from llm_mesh_conversations.store.tables import CONVERSATIONS, ITEMS
from llm_mesh_runtime.content_cipher import ContentCipher
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.log import get_logger


class ConversationRows:
    """Writes and reads the rows of conversations and of their items."""

    def __init__(self, database: Database, keys: SqlContentKeys, expiry: ContentExpiry, room: ContentRoom) -> None:
        self._database = database
        self._keys = keys
        self._expiry = expiry
        self._room = room

    def insert(
        self, connection: Connection, key: ContentKey, conversation: conversations_pb2.Conversation, items: Sequence[items_pb2.Item]
    ) -> bool:
        """A new conversation with its first items. False: the key was erased."""
        cipher = self._keys.cipher_of(connection, key.place, key.id)
        if cipher is None:
            return False
        sealed = _closed(cipher, key.place, conversation, 1)
        row: dict[str, Any] = {
            "domain": key.place.domain,
            "project": key.place.project,
            "id": conversation.id,
            "content_key": key.id,
            "revision": 1,
        }
        row |= {"sealed": sealed, "size": len(sealed), "items": 0, "created": conversation.create_time.ToMicroseconds()}
        connection.execute(insert(CONVERSATIONS).values(**row))
        if items:
            self.add(connection, key.place, conversation.id, items)
        count = connection.scalar(select(func.count()).select_from(CONVERSATIONS).where(*at(CONVERSATIONS, key.place))) or 0
        self._room.check(connection, key.place, "conversations", count)
        return True

    def opened(
        self, connection: Connection, place: ContentPlace, conversation: str, *, changing: bool = False
    ) -> tuple[Row[Any, Any, Any, Any, Any], ContentCipher] | None:
        """The row of a conversation and its cipher. None: it is not there for anybody."""
        table, expires = CONVERSATIONS.c, self._expiry.expires(CONVERSATIONS).label("expires")
        statement = select(table.content_key, table.revision, table["items"], table.sealed, expires).where(
            *at(CONVERSATIONS, place), table.id == conversation
        )
        row = connection.execute(statement.with_for_update() if changing else statement).first()
        if row is None or row.expires <= self._database.now(connection):
            return None
        cipher = self._keys.cipher_of(connection, place, row.content_key)
        return None if cipher is None else (row, cipher)

    def get(self, connection: Connection, place: ContentPlace, conversation: str) -> conversations_pb2.Conversation | None:
        """A conversation, with the time when it expires."""
        opened = self.opened(connection, place, conversation)
        return None if opened is None else _opened(place, conversation, *opened)

    def replace(self, connection: Connection, place: ContentPlace, conversation: conversations_pb2.Conversation) -> bool:
        """The new state of a conversation; False where it is not there."""
        opened = self.opened(connection, place, conversation.id, changing=True)
        if opened is None:
            return False
        row, cipher = opened
        sealed = _closed(cipher, place, conversation, row.revision + 1)
        own = (*at(CONVERSATIONS, place), CONVERSATIONS.c.id == conversation.id)
        connection.execute(update(CONVERSATIONS).where(*own).values(revision=row.revision + 1, sealed=sealed))
        return True

    def add(self, connection: Connection, place: ContentPlace, conversation: str, items: Sequence[items_pb2.Item]) -> bool:
        """Adds items at the end. False: the conversation is not there."""
        opened = self.opened(connection, place, conversation, changing=True)
        if opened is None:
            return False
        row, cipher = opened
        begin, added = int(row[2]), 0
        for number, item in enumerate(items, begin):
            sealed = cipher.closed(item.SerializeToString(), "item", *place, conversation, item.id, str(number))
            key = {"domain": place.domain, "project": place.project, "conversation": conversation, "number": number}
            connection.execute(insert(ITEMS).values(**key, id=item.id, sealed=sealed, size=len(sealed)))
            added += len(sealed)
        own = (*at(CONVERSATIONS, place), CONVERSATIONS.c.id == conversation)
        size = CONVERSATIONS.c.size + added
        connection.execute(update(CONVERSATIONS).where(*own).values({"items": begin + len(items), "size": size}))
        count = connection.scalar(select(func.count()).select_from(ITEMS).where(*at(ITEMS, place), ITEMS.c.conversation == conversation))
        self._room.check_items(conversation, count or 0)
        return True

    def remove(self, connection: Connection, place: ContentPlace, conversations: Sequence[str]) -> None:
        """Deletes conversations with their items."""
        erasing(connection)
        connection.execute(delete(ITEMS).where(*at(ITEMS, place), ITEMS.c.conversation.in_(conversations)))
        connection.execute(delete(CONVERSATIONS).where(*at(CONVERSATIONS, place), CONVERSATIONS.c.id.in_(conversations)))


def item_of(cipher: ContentCipher, place: ContentPlace, conversation: str, row: Row[Any, Any, Any]) -> items_pb2.Item | None:
    """An item of its row (number, id, sealed). None: it does not open."""
    number, item, sealed = row
    content = cipher.opened(bytes(sealed), "item", *place, conversation, item, str(number))
    if content is None:
        get_logger().error("an item of a conversation does not open", project=place.project, conversation=conversation)
        return None
    return items_pb2.Item.FromString(content)


def _closed(cipher: ContentCipher, place: ContentPlace, conversation: conversations_pb2.Conversation, revision: int) -> bytes:
    return cipher.closed(conversation.SerializeToString(), "conversation", *place, conversation.id, str(revision))


def _opened(
    place: ContentPlace, conversation: str, row: Row[Any, Any, Any, Any, Any], cipher: ContentCipher
) -> conversations_pb2.Conversation | None:
    content = cipher.opened(bytes(row.sealed), "conversation", *place, conversation, str(row.revision))
    if content is None:
        get_logger().error("a conversation does not open", project=place.project, conversation=conversation)
        return None
    opened = conversations_pb2.Conversation.FromString(content)
    opened.expire_time.FromMicroseconds(row.expires)
    return opened
