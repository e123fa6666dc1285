"""Writes the audit trail within the transaction of whatever it records.

Each writing thread of the process is a writer with a chain of its own, so that chains never wait for each other. The head of
a chain is kept in memory; where something that was written on the thread's connection was undone since, or the connection is
another, it is read again: the transaction that wrote the head may be what was undone.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from llm_mesh_policy.domain.audit import AuditEntry, first_hash, next_hash
from llm_mesh_policy.store.identity_tables import audit_records
from llm_mesh_runtime.database import Prepared, Rows, standing

_NAMES = ("time", "domain", "principal", "key", "action", "resource", "allowed", "detail", "request_id", "writer", "hash")
_ADD = Rows(
    f"INSERT INTO audit_records ({', '.join(_NAMES)}) VALUES {{rows}}",  # noqa: S608 (names of columns only)
    columns=len(_NAMES),
    flags=[_NAMES.index("allowed")],
)
_END = Prepared(
    select(audit_records.c.sequence)
    .where(audit_records.c.sequence >= bindparam("since"), audit_records.c.writer == bindparam("of_writer"))
    .order_by(audit_records.c.sequence.desc())
    .limit(1)
)


@dataclass(slots=True)
class _Head:
    """The end of a writer's chain. Sequence 0: nothing is written yet. It holds while the connection's standing is the same."""

    writer: str
    sequence: int
    hash: bytes
    standing: object = None


class AuditTrail:
    """Adds records. One per process; its writers are an epoch of their own."""

    def __init__(self, now: Callable[[Connection], int], *, epoch: str = "") -> None:
        self._now = now
        self._epoch = epoch or secrets.token_hex(8)
        self._heads: dict[int, _Head] = {}
        self._begun = hashlib.sha256()

    def append(self, connection: Connection, entry: AuditEntry) -> int:
        """Adds a record to the calling thread's chain; answers with its sequence. Holds only if the transaction commits."""
        return self.extend(connection, [entry])

    def extend(self, connection: Connection, entries: Sequence[AuditEntry]) -> int:
        """Adds records in their order, likewise; answers with the sequence of the last."""
        head = self._heads.get(threading.get_ident())
        if head is None:
            head = self._heads[threading.get_ident()] = self._fresh(len(self._heads))
        present = standing(connection)
        if head.standing is not present:
            self._reread(connection, head)
            head.standing = present
        now = 0 if all(entry.time for entry in entries) else self._now(connection)
        rows, digest = [], head.hash
        for each in entries:
            entry = each.bounded(now)
            digest = next_hash(digest, head.writer, entry, self._begun)
            rows.append(_row(entry, head.writer, digest))
        head.sequence, head.hash = _ADD.write(connection, rows) or self._last(connection, head), digest
        return head.sequence

    def _fresh(self, number: int) -> _Head:
        writer = f"{self._epoch}-{number}"
        return _Head(writer, 0, first_hash(writer))

    def _last(self, connection: Connection, head: _Head) -> int:
        """The sequence of the chain's end, where the driver does not tell."""
        end = _END.first(connection, since=head.sequence + 1, of_writer=head.writer)
        if end is None:
            raise RuntimeError(f"the audit chain of {head.writer} has no end")
        return int(end[0])

    def _reread(self, connection: Connection, head: _Head) -> None:
        wanted = select(audit_records.c.sequence, audit_records.c.hash).where(audit_records.c.writer == head.writer)
        row = connection.execute(wanted.order_by(audit_records.c.sequence.desc()).limit(1)).first()
        head.sequence, head.hash = (row.sequence, bytes(row.hash)) if row else (0, first_hash(head.writer))


def _row(entry: AuditEntry, writer: str, digest: bytes) -> tuple[object, ...]:
    return (
        entry.time, entry.domain, entry.principal, entry.key, entry.action, entry.resource, int(entry.allowed), entry.detail,
        entry.request_id, writer, bytearray(digest),
    )  # fmt: skip
