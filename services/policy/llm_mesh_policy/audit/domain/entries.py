"""The audit trail: what was decided or changed, by whom, chained so that a change of the past shows.

Each writer of a process has a chain of its own: a record's hash is SHA-256 over the hash before it and the record. Whoever
has the records of a writer, in the order of their sequence, can check them without the mesh (`llm_mesh_runtime.trail`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import rules_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_runtime import trail
from llm_mesh_runtime.trail import first_hash

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

__all__ = ["broken_link", "entry_of", "first_hash", "next_hash"]


def next_hash(previous: bytes, writer: str, entry: AuditEntry, begun: Hash | None = None) -> bytes:
    """The hash of an entry that follows in a writer's chain."""
    parts = (
        writer, str(entry.time), entry.domain, entry.principal, entry.key, entry.action, entry.resource,
        "1" if entry.allowed else "0", entry.detail, entry.request_id,
    )  # fmt: skip
    if entry.is_plain:
        return trail.next_hash(previous, parts, begun)
    more = (entry.event_id, entry.source, entry.before.hex(), entry.after.hex(), entry.reason)
    return trail.next_hash(previous, (*parts, *more), begun, tag=trail.CHANGE_TAG)


def broken_link(records: Iterable[rules_pb2.AuditRecord]) -> rules_pb2.AuditRecord | None:
    """The first record whose hash does not follow from the one before it in its writer's chain; None where all do.

    Records are given oldest first, each chain from its beginning.
    """
    heads: dict[str, bytes] = {}
    for record in records:
        if trail.record_hash(heads.get(record.writer) or first_hash(record.writer), record) != record.hash:
            return record
        heads[record.writer] = record.hash
    return None


def entry_of(record: rules_pb2.AuditRecord) -> AuditEntry:
    """The entry that a published record was made of."""
    return AuditEntry(
        domain=record.domain,
        action=record.action,
        resource=record.resource,
        allowed=record.allowed,
        principal=record.principal,
        key=record.key,
        detail=record.detail,
        request_id=record.request_id,
        time=record.time.ToMicroseconds(),
        event_id=record.event_id,
        source=record.source,
        before=record.before_digest,
        after=record.after_digest,
        reason=record.reason,
    )
