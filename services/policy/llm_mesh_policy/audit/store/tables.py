"""Tables of the audit trail: its records, and the heads of its chains."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, Table, Text, text

from llm_mesh_policy.store.schema import Name, metadata
from llm_mesh_runtime.database import Counter, Instant

_OF_CHANGES = text("event_id IS NOT NULL")

audit_records = Table(
    "audit_records",
    metadata,
    Column("sequence", Counter, primary_key=True, autoincrement=True),
    Column("time", Instant, nullable=False),
    Column("domain", Name, nullable=False),
    Column("principal", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("allowed", Boolean(create_constraint=False), nullable=False),
    Column("detail", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("writer", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    # Of administrative changes only.
    Column("event_id", Text),
    Column("source", Text),
    Column("before_digest", LargeBinary),
    Column("after_digest", LargeBinary),
    Column("reason", Text),
    Index("audit_records_by_domain", "domain", "sequence"),
    Index("audit_records_by_request", "request_id"),
    Index("audit_records_by_event", "source", "event_id", unique=True, sqlite_where=_OF_CHANGES, postgresql_where=_OF_CHANGES),
)

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("writer", Text, primary_key=True),
    Column("records", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("numbering", LargeBinary, nullable=False),
)
