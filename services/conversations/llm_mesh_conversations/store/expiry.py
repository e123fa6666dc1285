"""Which rows are there: those with a key, within the retention of their project."""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, Connection, Table, cast, func, literal, select

from llm_mesh_conversations.store.tables import KEYS, RETENTIONS

DAY = 86_400_000_000
"""A day in microseconds, as moments are stored."""


class ContentExpiry:
    """Retention as conditions on rows; `days` holds where a project has none of its own."""

    def __init__(self, days: int) -> None:
        self.days = days

    def expires(self, table: Table) -> ColumnElement[int]:
        """When the retention of a row is over."""
        own = select(RETENTIONS.c.days).where(RETENTIONS.c.domain == table.c.domain, RETENTIONS.c.project == table.c.project)
        return table.c.created + cast(func.coalesce(own.scalar_subquery(), self.days), BigInteger) * literal(DAY, BigInteger)

    def expired(self, table: Table, now: int) -> ColumnElement[bool]:
        """Whether the retention of a row is over, or its key was erased."""
        key = select(KEYS.c.id).where(KEYS.c.domain == table.c.domain, KEYS.c.project == table.c.project, KEYS.c.id == table.c.content_key)
        return (self.expires(table) <= now) | ~key.exists()


def erasing(connection: Connection) -> None:
    """Has SQLite overwrite what this connection deletes from now on."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
