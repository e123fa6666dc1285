"""Writes the audit trail within the transaction of whatever it records.

Each writing thread of the process is a writer with a chain of its own, so that chains never wait for each other. The head of
a chain is kept in memory; the statement that adds a record also checks that the head is really there, which it is not where
the transaction that wrote it was undone. Then the head is read again.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from llm_mesh_policy.domain.audit import AuditEntry, first_hash, next_hash
from llm_mesh_policy.store.identity_tables import audit_records

# Past SQLAlchemy's compiler: this statement is on the way of every request.
_COLUMNS = "time, domain, principal, key, action, resource, allowed, detail, request_id, writer, hash"
_ADD = (
    f"INSERT INTO audit_records ({_COLUMNS}) SELECT {{0}} "  # noqa: S608 (placeholders only)
    "WHERE {1} = 0 OR EXISTS (SELECT 1 FROM audit_records WHERE sequence = {1} AND hash = {1}) RETURNING sequence"
)
_SQLITE = _ADD.format(", ".join(["?"] * 11), "?")
_TYPES = ("bigint", "text", "text", "text", "text", "text", "boolean", "text", "text", "text", "bytea")
_POSTGRES = _ADD.format(", ".join(f"%s::{kind}" for kind in _TYPES), "%s")


@dataclass(slots=True)
class _Head:
    """The end of a writer's chain. Sequence 0: nothing is written yet."""

    writer: str
    sequence: int
    hash: bytes


class AuditTrail:
    """Adds records. One per process; its writers are an epoch of their own."""

    def __init__(self, now: Callable[[Connection], int], *, epoch: str = "") -> None:
        self._now = now
        self._epoch = epoch or secrets.token_hex(8)
        self._heads: dict[int, _Head] = {}

    def append(self, connection: Connection, entry: AuditEntry) -> int:
        """Adds a record to the calling thread's chain; answers with its sequence. Holds only if the transaction commits."""
        entry = entry.bounded(entry.time or self._now(connection))
        head = self._heads.get(threading.get_ident())
        if head is None:
            head = self._heads[threading.get_ident()] = self._fresh(len(self._heads))
        sequence = self._add(connection, head, entry)
        if sequence is None:
            self._reread(connection, head)
            sequence = self._add(connection, head, entry)
        if sequence is None:
            raise RuntimeError(f"the audit chain of {head.writer} has no end")
        return sequence

    def _fresh(self, number: int) -> _Head:
        writer = f"{self._epoch}-{number}"
        return _Head(writer, 0, first_hash(writer))

    def _add(self, connection: Connection, head: _Head, entry: AuditEntry) -> int | None:
        digest = next_hash(head.hash, head.writer, entry)
        values: tuple[Any, ...] = (
            entry.time, entry.domain, entry.principal, entry.key, entry.action, entry.resource, entry.allowed,
            entry.detail, entry.request_id, head.writer, digest, head.sequence, head.sequence, head.hash,
        )  # fmt: skip
        statement = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRES
        sequence: int | None = connection.exec_driver_sql(statement, values).scalar()
        if sequence is not None:
            head.sequence, head.hash = sequence, digest
        return sequence

    def _reread(self, connection: Connection, head: _Head) -> None:
        wanted = select(audit_records.c.sequence, audit_records.c.hash).where(audit_records.c.writer == head.writer)
        row = connection.execute(wanted.order_by(audit_records.c.sequence.desc()).limit(1)).first()
        head.sequence, head.hash = (row.sequence, row.hash) if row else (0, first_hash(head.writer))
