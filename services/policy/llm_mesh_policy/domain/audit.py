"""The audit trail: what was decided or changed, by whom, chained so that a change of the past shows.

Each writer of a process has a chain of its own: a record's hash is SHA-256 over the hash before it and the record. Whoever
has the records of a writer, in the order of their sequence, can check them without the mesh (`broken_link`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import rules_pb2

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

_LONGEST_DETAIL = 512
_LONGEST_TEXT = 1024
_LENGTHS = tuple(length.to_bytes(4, "big") for length in range(_LONGEST_TEXT + 1))


@dataclass(slots=True)  # frozen would triple what an entry costs to make, and each request makes one
class AuditEntry:
    """One decision or change. Never has content, and is never changed."""

    domain: str
    action: str
    resource: str
    allowed: bool
    principal: str = ""
    key: str = ""
    detail: str = ""
    request_id: str = ""
    time: int = 0
    """Microseconds since 1970 UTC. 0: the store's present time."""

    def bounded(self, time: int) -> AuditEntry:
        """The entry as it is kept: with its time, and cut where a field is too long."""
        if max(len(self.detail), len(self.resource)) <= _LONGEST_DETAIL and self.time:
            return self
        return replace(self, detail=self.detail[:_LONGEST_DETAIL], resource=self.resource[:_LONGEST_TEXT], time=self.time or time)


def first_hash(writer: str) -> bytes:
    """What stands before a writer's first record."""
    return hashlib.sha256(b"llm-mesh audit v1\x00" + writer.encode()).digest()


def next_hash(previous: bytes, writer: str, entry: AuditEntry, begun: Hash | None = None) -> bytes:
    """SHA-256 over the previous hash and the record: each text as UTF-8 behind its length, so that no two records read alike.

    Who makes many gives an empty hash to copy, since finding the algorithm takes longer than a record.
    """
    parts = (
        writer, str(entry.time), entry.domain, entry.principal, entry.key, entry.action, entry.resource,
        "1" if entry.allowed else "0", entry.detail, entry.request_id,
    )  # fmt: skip
    encoded = [part.encode() for part in parts]
    try:
        hashed = [_LENGTHS[len(part)] + part for part in encoded]
    except IndexError:  # one is longer
        hashed = [len(part).to_bytes(4, "big") + part for part in encoded]
    digest = hashlib.sha256() if begun is None else begun.copy()
    digest.update(b"".join([previous, *hashed]))
    return digest.digest()


def broken_link(records: Iterable[rules_pb2.AuditRecord]) -> rules_pb2.AuditRecord | None:
    """The first record whose hash does not follow from the one before it in its writer's chain; None where all do.

    Records are given oldest first, each chain from its beginning.
    """
    heads: dict[str, bytes] = {}
    for record in records:
        previous = heads.get(record.writer) or first_hash(record.writer)
        if next_hash(previous, record.writer, entry_of(record)) != record.hash:
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
    )
