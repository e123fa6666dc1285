"""Retentions, erasure and purge in SQLite or PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Connection, Table, delete, func, select, text

from llm_mesh.conversations.v1 import retention_pb2
from llm_mesh_conversations.domain.values import ContentPlace
from llm_mesh_conversations.store.conversation_rows import ConversationRows
from llm_mesh_conversations.store.expiry import ContentExpiry, erasing
from llm_mesh_conversations.store.keys import at
from llm_mesh_conversations.store.response_rows import ResponseRows
from llm_mesh_conversations.store.tables import CONVERSATIONS, KEYS, RESPONSES, RETENTIONS
from llm_mesh_runtime.database import Database, upsert
from llm_mesh_runtime.outbox import Notes, Outbox

_MOST_AT_ONCE = 100
_UNUSED_KEY = 86_400_000_000
"""Microseconds after which a key goes that seals nothing. No call that could still use it lasts so long."""


class SqlRetention:
    """`RetentionStore`."""

    def __init__(
        self, database: Database, outbox: Outbox, expiry: ContentExpiry, responses: ResponseRows, conversations: ConversationRows
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._expiry = expiry
        self._responses = responses
        self._conversations = conversations

    async def retention(self, place: ContentPlace) -> retention_pb2.Retention:
        return await self._database.read(lambda connection: self._retention(connection, place))

    async def set_retention(self, place: ContentPlace, days: int | None) -> retention_pb2.Retention:
        def work(connection: Connection, notes: Notes) -> retention_pb2.Retention:
            before = self._retention(connection, place)
            if days is None:
                connection.execute(delete(RETENTIONS).where(*at(RETENTIONS, place)))
            else:
                row = {"domain": place.domain, "project": place.project, "days": days}
                upsert(connection, RETENTIONS, row, key=["domain", "project"])
            after = self._retention(connection, place)
            notes.note(f"{place.project}/retention", before, after, f"{before.days} to {after.days} days")
            return after

        return await self._outbox.write(work, action="retention.update")

    async def erase(self, place: ContentPlace, scope: str, *, principal: str | None = None, end_user: str | None = None) -> tuple[int, int]:
        own = [*at(KEYS, place)]
        own += [] if principal is None else [KEYS.c.principal == principal]
        own += [] if end_user is None else [KEYS.c.end_user == end_user]

        def count(connection: Connection, table: Table) -> int:
            keys = select(KEYS.c.id).where(*own)
            return connection.scalar(select(func.count()).select_from(table).where(*at(table, place), table.c.content_key.in_(keys))) or 0

        def work(connection: Connection, notes: Notes) -> tuple[int, int]:
            erasing(connection)
            counts = count(connection, RESPONSES), count(connection, CONVERSATIONS)
            connection.execute(delete(KEYS).where(*own))
            detail = f"{scope}: {counts[0]} responses, {counts[1]} conversations"
            notes.note(f"{place.project}/storedContent", retention_pb2.EraseContentRequest(project=place.project), None, detail)
            return counts

        return await self._outbox.write(work, action="retention.erase")

    async def purge(self) -> int:
        def work(connection: Connection) -> int:
            if connection.dialect.name == "postgresql" and not connection.scalar(
                text("SELECT pg_try_advisory_xact_lock(hashtext('purge'))")
            ):
                return 0  # another instance purges
            now = self._database.now(connection)
            responses = self._expired(connection, RESPONSES, now)
            for place, ids in responses.items():
                self._responses.remove(connection, place, ids)
            conversations = self._expired(connection, CONVERSATIONS, now)
            for place, ids in conversations.items():
                self._conversations.remove(connection, place, ids)
            self._drop_unused_keys(connection, now)
            return sum(map(len, (*responses.values(), *conversations.values())))

        return await self._database.write(work)

    async def scrub(self) -> None:
        await self._database.scrub()

    def _retention(self, connection: Connection, place: ContentPlace) -> retention_pb2.Retention:
        days = connection.scalar(select(RETENTIONS.c.days).where(*at(RETENTIONS, place)))
        return retention_pb2.Retention(project=place.project, days=self._expiry.days if days is None else days, by_default=days is None)

    def _expired(self, connection: Connection, table: Table, now: int) -> dict[ContentPlace, list[str]]:
        statement = select(table.c.domain, table.c.project, table.c.id).where(self._expiry.expired(table, now)).limit(_MOST_AT_ONCE)
        expired: dict[ContentPlace, list[str]] = {}
        for domain, project, content in connection.execute(statement):
            expired.setdefault(ContentPlace(domain, project), []).append(content)
        return expired

    @staticmethod
    def _drop_unused_keys(connection: Connection, now: int) -> None:
        erasing(connection)
        used = [
            select(table.c.id).where(table.c.domain == KEYS.c.domain, table.c.project == KEYS.c.project, table.c.content_key == KEYS.c.id)
            for table in (RESPONSES, CONVERSATIONS)
        ]
        connection.execute(delete(KEYS).where(KEYS.c.created < now - _UNUSED_KEY, ~used[0].exists(), ~used[1].exists()))
