"""How much a project may store."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from llm_mesh_conversations.domain.values import ContentPlace
from llm_mesh_conversations.store.keys import at
from llm_mesh_conversations.store.tables import CONVERSATIONS, RESPONSES
from llm_mesh_runtime.resources import Quotas


class ContentRoom:
    """Quotas of projects, in things and in bytes."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas

    def check(self, connection: Connection, place: ContentPlace, collection: str, count: int) -> None:
        """QUOTA_EXCEEDED where the project has more than so many things, or more bytes than it may."""
        self._quotas.check(place.project, collection, count)
        size = sum(connection.scalar(select(func.sum(table.c.size)).where(*at(table, place))) or 0 for table in (RESPONSES, CONVERSATIONS))
        self._quotas.check(place.project, "bytes", int(size))

    def check_items(self, conversation: str, count: int) -> None:
        """QUOTA_EXCEEDED where a conversation has more items than it may."""
        self._quotas.check(conversation, "items", count)
