"""Reads the audit trail from policy's database, without policy: for verification, whatever somebody made of its rows."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from llm_mesh.policy.v1 import audit_pb2, rules_pb2

_RECORDS = text("SELECT * FROM audit_records WHERE sequence > :after ORDER BY sequence LIMIT :most")
_HEADS = text("SELECT writer, records, hash, sequence, numbering FROM audit_heads")
_LATEST = 10**17
"""Microseconds, which a timestamp can hold."""
_TEXTS = ("domain", "principal", "key", "action", "resource", "detail", "request_id", "writer", "event_id", "source", "reason")


class Part(NamedTuple):
    """Some records by sequence; with the last of them the heads, else None."""

    records: list[rules_pb2.AuditRecord]
    heads: list[audit_pb2.ChainHead] | None


def read(connection: Connection, *, after: int, most: int) -> Part:
    """The records behind a sequence."""
    rows = connection.execute(_RECORDS, {"after": after, "most": most}).mappings().all()
    heads = None if len(rows) == most else [_head(row) for row in connection.execute(_HEADS).mappings()]
    return Part([record_of(row) for row in rows], heads)


def record_of(row: Any) -> rules_pb2.AuditRecord:  # noqa: ANN401 (a row of any driver)
    """A record. What cannot be read is read as empty, and breaks the chain."""
    record = rules_pb2.AuditRecord(
        sequence=row["sequence"],
        allowed=bool(row["allowed"]),
        hash=_bytes(row["hash"]),
        before_digest=_bytes(row["before_digest"]),
        after_digest=_bytes(row["after_digest"]),
    )
    for name in _TEXTS:
        setattr(record, name, str(row[name] or ""))
    if isinstance(row["time"], int) and 0 <= row["time"] <= _LATEST:
        record.time.FromMicroseconds(row["time"])
    return record


def _head(row: Any) -> audit_pb2.ChainHead:  # noqa: ANN401 (likewise)
    return audit_pb2.ChainHead(
        writer=row["writer"],
        count=row["records"],
        hash=_bytes(row["hash"]),
        sequence=row["sequence"],
        numbering=_bytes(row["numbering"]),
    )


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else b""
