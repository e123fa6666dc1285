"""Reads the audit trail as a whole, and records what other services changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select
from sqlalchemy import Row as SqlRow

from llm_mesh.policy.v1 import audit_pb2
from llm_mesh_policy.audit.domain.trail import AuditPage
from llm_mesh_policy.audit.store.rows import record_of
from llm_mesh_policy.audit.store.tables import audit_heads, audit_records
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork

if TYPE_CHECKING:
    from llm_mesh_policy.audit.store.chains import AuditTrail
    from llm_mesh_policy.domain.audit_entry import AuditEntry
    from llm_mesh_runtime.database import Database


class SqlTrail:
    """The audit trail, behind the domain's port."""

    def __init__(self, database: Database, trail: AuditTrail) -> None:
        self._database = database
        self._trail = trail

    async def record(self, source: str, entries: Sequence[AuditEntry]) -> int:
        def work(connection: Connection) -> int:
            ids = [entry.event_id for entry in entries]
            known = select(audit_records.c.event_id).where(audit_records.c.source == source, audit_records.c.event_id.in_(ids))
            recorded = set(connection.scalars(known))
            fresh = [entry for entry in entries if entry.event_id not in recorded]
            if fresh:
                self._trail.extend(SqlUnitOfWork(connection, self._database), fresh)
            return len(fresh)

        return await self._database.write(work)

    async def page(self, after: int, limit: int, newest: int) -> AuditPage:
        def work(connection: Connection) -> AuditPage:
            start = after
            if newest and not after:
                start = max(0, (connection.scalar(select(func.max(audit_records.c.sequence))) or 0) - newest)
            statement = select(audit_records).where(audit_records.c.sequence > start).order_by(audit_records.c.sequence).limit(limit)
            records = [record_of(row) for row in connection.execute(statement)]
            return AuditPage(records, [_head_of(row) for row in connection.execute(select(audit_heads).order_by(audit_heads.c.writer))])

        return await self._database.read(work)


def _head_of(row: SqlRow[Any]) -> audit_pb2.ChainHead:
    return audit_pb2.ChainHead(
        writer=row.writer, count=row.records, hash=bytes(row.hash), sequence=row.sequence, numbering=bytes(row.numbering)
    )
