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

from sqlalchemy import Connection, select, text

from llm_mesh_policy.domain.audit import AuditEntry, first_hash, next_hash
from llm_mesh_policy.store.identity_tables import audit_records
from llm_mesh_runtime.database import Prepared

_TYPES = {
    "time": "bigint",
    "domain": "text",
    "principal": "text",
    "key": "text",
    "action": "text",
    "resource": "text",
    "allowed": "boolean",
    "detail": "text",
    "request_id": "text",
    "writer": "text",
    "hash": "bytea",
}


def _adding(values: str) -> Prepared:
    """Prepared, since this statement is on the way of every request."""
    return Prepared(
        text(
            f"INSERT INTO audit_records ({', '.join(_TYPES)}) SELECT {values} "  # noqa: S608 (names of columns only)
            "WHERE :head = 0 OR EXISTS (SELECT 1 FROM audit_records WHERE sequence = :head AND hash = :head_hash) RETURNING sequence"
        )
    )


_ADD = {
    "sqlite": _adding(", ".join(f":{name}" for name in _TYPES)),
    "postgresql": _adding(", ".join(f"CAST(:{name} AS {kind})" for name, kind in _TYPES.items())),
}


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
        found = _ADD[connection.dialect.name].rows(
            connection,
            time=entry.time,
            domain=entry.domain,
            principal=entry.principal,
            key=entry.key,
            action=entry.action,
            resource=entry.resource,
            allowed=entry.allowed,
            detail=entry.detail,
            request_id=entry.request_id,
            writer=head.writer,
            hash=digest,
            head=head.sequence,
            head_hash=head.hash,
        )
        sequence: int | None = found[0][0] if found else None
        if sequence is not None:
            head.sequence, head.hash = sequence, digest
        return sequence

    def _reread(self, connection: Connection, head: _Head) -> None:
        wanted = select(audit_records.c.sequence, audit_records.c.hash).where(audit_records.c.writer == head.writer)
        row = connection.execute(wanted.order_by(audit_records.c.sequence.desc()).limit(1)).first()
        head.sequence, head.hash = (row.sequence, row.hash) if row else (0, first_hash(head.writer))
