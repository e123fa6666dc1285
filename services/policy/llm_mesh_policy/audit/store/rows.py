"""Records of the audit trail as rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy import Row as SqlRow

from llm_mesh.policy.v1 import rules_pb2
from llm_mesh_policy.audit.store.tables import audit_records


def page_of(connection: Connection, domain: str, request_id: str, before: int, limit: int) -> list[rules_pb2.AuditRecord]:
    """Records before a sequence, newest first: of a domain and of a request, where those are given."""
    table = audit_records
    statement = select(table).order_by(table.c.sequence.desc()).limit(limit)
    if domain:
        statement = statement.where(table.c.domain == domain)
    if request_id:
        statement = statement.where(table.c.request_id == request_id)
    if before:
        statement = statement.where(table.c.sequence < before)
    return [record_of(sql_row) for sql_row in connection.execute(statement)]


def record_of(row: SqlRow[Any]) -> rules_pb2.AuditRecord:
    """A record as it is published."""
    record = rules_pb2.AuditRecord(
        sequence=row.sequence,
        domain=row.domain,
        principal=row.principal,
        key=row.key,
        action=row.action,
        resource=row.resource,
        allowed=row.allowed,
        detail=row.detail,
        request_id=row.request_id,
        hash=bytes(row.hash),
        writer=row.writer,
        event_id=row.event_id or "",
        source=row.source or "",
        before_digest=bytes(row.before_digest or b""),
        after_digest=bytes(row.after_digest or b""),
        reason=row.reason or "",
    )
    record.time.FromMicroseconds(row.time)
    return record
