"""Writes the audit trail within the transaction of whatever it records.

Each writing thread of the process is a writer with a chain of its own, so that chains never wait for each other. The head of
a chain is kept in memory and, in the same transaction, in a table: by it a trail whose newest records are missing shows. Where
something that was written on the thread's connection was undone since, or the connection is another, it is read again: the
transaction that wrote the head may be what was undone.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from llm_mesh.policy.v1 import rules_pb2
from llm_mesh_policy.audit.domain.entries import first_hash, next_hash
from llm_mesh_policy.audit.store import rows
from llm_mesh_policy.audit.store.tables import audit_heads, audit_records
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.domain.unit_of_work import UnitOfWork
from llm_mesh_policy.store.unit_of_work import connection_of
from llm_mesh_runtime.database import PreparedStatement, Rows, standing
from llm_mesh_runtime.trail import FIRST_NUMBERING, next_numbering

_NAMES = ("time", "domain", "principal", "key", "action", "resource", "allowed", "detail", "request_id", "writer", "hash")
_MORE = ("event_id", "source", "before_digest", "after_digest", "reason")


def _insert(names: Sequence[str]) -> Rows:
    statement = f"INSERT INTO audit_records ({', '.join(names)}) VALUES {{rows}}"  # noqa: S608 (names of columns only)
    return Rows(statement, columns=len(names), flags=[names.index("allowed")])


_ADD = _insert(_NAMES)
_ADD_CHANGES = _insert((*_NAMES, *_MORE))
_PUT_HEAD = Rows(
    "INSERT INTO audit_heads (writer, records, hash, sequence, numbering) VALUES {rows} ON CONFLICT (writer) DO UPDATE SET "
    "records = excluded.records, hash = excluded.hash, sequence = excluded.sequence, numbering = excluded.numbering",
    columns=5,
)
_END = PreparedStatement(
    select(audit_records.c.sequence)
    .where(audit_records.c.sequence >= bindparam("since"), audit_records.c.writer == bindparam("of_writer"))
    .order_by(audit_records.c.sequence.desc())
    .limit(bindparam("most", type_=audit_records.c.sequence.type))
)


@dataclass(slots=True)
class _Head:
    """The end of a writer's chain. Sequence 0: nothing is written yet. It holds while the connection's standing is the same."""

    writer: str
    sequence: int
    hash: bytes
    count: int = 0
    numbering: bytes = FIRST_NUMBERING
    standing: object = None


class AuditTrail:
    """Adds records. One per process; its writers are an epoch of their own."""

    def __init__(self, *, epoch: str = "") -> None:
        self._epoch = epoch or secrets.token_hex(8)
        self._heads: dict[int, _Head] = {}
        self._begun = hashlib.sha256()

    def append(self, unit: UnitOfWork, entry: AuditEntry) -> int:
        """Adds a record to the calling thread's chain; answers with its sequence. Holds only if the transaction commits."""
        return self.extend(unit, [entry])

    def extend(self, unit: UnitOfWork, entries: Sequence[AuditEntry]) -> int:
        """Adds records in their order, likewise; answers with the sequence of the last."""
        connection = connection_of(unit)
        head = self._heads.get(threading.get_ident())
        if head is None:
            head = self._heads[threading.get_ident()] = self._fresh(len(self._heads))
        present = standing(connection)
        if head.standing is not present:
            self._reread(connection, head)
            head.standing = present
        if not entries:
            return head.sequence
        now = 0 if all(entry.time for entry in entries) else unit.now()
        plain = all(entry.is_plain for entry in entries)
        new_rows, digest = [], head.hash
        for each in entries:
            entry = each.bounded(now)
            digest = next_hash(digest, head.writer, entry, self._begun)
            new_rows.append(_row(entry, head.writer, digest) if plain else (*_row(entry, head.writer, digest), *_more(entry)))
        last = (_ADD if plain else _ADD_CHANGES).write(connection, new_rows)
        for sequence in range(last - len(new_rows) + 1, last + 1) if last else self._sequences(connection, head, len(new_rows)):
            head.numbering = next_numbering(head.numbering, sequence, self._begun)
            head.sequence = sequence
        head.hash = digest
        head.count += len(new_rows)
        _PUT_HEAD.write(connection, [(head.writer, head.count, bytearray(digest), head.sequence, bytearray(head.numbering))])
        return head.sequence

    def page(self, unit: UnitOfWork, domain: str, request_id: str, before: int, limit: int) -> list[rules_pb2.AuditRecord]:
        """Records before a sequence, newest first: of a domain and of a request, where those are given."""
        return rows.page_of(connection_of(unit), domain, request_id, before, limit)

    def _fresh(self, number: int) -> _Head:
        writer = f"{self._epoch}-{number}"
        return _Head(writer, 0, first_hash(writer))

    def _sequences(self, connection: Connection, head: _Head, count: int) -> list[int]:
        """The sequences of the records that were just written, where the driver does not tell."""
        rows = _END.rows(connection, since=head.sequence + 1, of_writer=head.writer, most=count)
        if len(rows) != count:
            raise RuntimeError(f"the audit chain of {head.writer} has no end")
        return [int(row[0]) for row in reversed(rows)]

    def _reread(self, connection: Connection, head: _Head) -> None:
        row = connection.execute(select(audit_heads).where(audit_heads.c.writer == head.writer)).first()
        if row is None:
            head.sequence, head.hash, head.count, head.numbering = 0, first_hash(head.writer), 0, FIRST_NUMBERING
        else:
            head.sequence, head.hash, head.count, head.numbering = row.sequence, bytes(row.hash), row.records, bytes(row.numbering)


def _row(entry: AuditEntry, writer: str, digest: bytes) -> tuple[object, ...]:
    return (
        entry.time, entry.domain, entry.principal, entry.key, entry.action, entry.resource, int(entry.allowed), entry.detail,
        entry.request_id, writer, bytearray(digest),
    )  # fmt: skip


def _more(entry: AuditEntry) -> tuple[object, ...]:
    return (entry.event_id or None, entry.source, bytearray(entry.before), bytearray(entry.after), entry.reason)
