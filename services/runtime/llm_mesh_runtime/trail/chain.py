"""The hash of an audit record: SHA-256 over the hash of its writer's record before it and its own texts.

Each text stands as UTF-8 behind its length of four bytes. A record with an event, digests or a reason has a tag before its texts, which
no length can be; so the two forms never read alike, and records of builds that knew the first form alone still verify.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

    from llm_mesh.policy.v1 import rules_pb2

CHANGE_TAG = b"\xff\xff\xff\xffllm-mesh audit change v2\x00"
FIRST_NUMBERING = bytes(32)
_LONGEST_TEXT = 1024
_LENGTHS = tuple(length.to_bytes(4, "big") for length in range(_LONGEST_TEXT + 1))


def first_hash(writer: str) -> bytes:
    """What stands before a writer's first record."""
    return hashlib.sha256(b"llm-mesh audit v1\x00" + writer.encode()).digest()


def next_hash(previous: bytes, parts: Sequence[str], begun: Hash | None = None, *, tag: bytes = b"") -> bytes:
    """The hash of a record's texts. Who makes many gives an empty hash to copy, since finding the algorithm takes longer than a record."""
    encoded = [part.encode() for part in parts]
    try:
        hashed = [_LENGTHS[len(part)] + part for part in encoded]
    except IndexError:  # one is longer
        hashed = [len(part).to_bytes(4, "big") + part for part in encoded]
    digest = hashlib.sha256() if begun is None else begun.copy()
    digest.update(b"".join([previous, tag, *hashed]))
    return digest.digest()


def next_numbering(previous: bytes, sequence: int, begun: Hash | None = None) -> bytes:
    """What shows that sequences are as they were given: they are known only once the records, with their hashes, are written."""
    digest = hashlib.sha256() if begun is None else begun.copy()
    digest.update(previous + sequence.to_bytes(8, "big", signed=True))
    return digest.digest()


def parts_of(record: rules_pb2.AuditRecord) -> tuple[tuple[str, ...], bytes]:
    """The texts of a published record that its hash covers, and their tag."""
    parts = (
        record.writer, str(record.time.ToMicroseconds()), record.domain, record.principal, record.key, record.action, record.resource,
        "1" if record.allowed else "0", record.detail, record.request_id,
    )  # fmt: skip
    more = (record.event_id, record.source, record.before_digest.hex(), record.after_digest.hex(), record.reason)
    return ((*parts, *more), CHANGE_TAG) if any(more) else (parts, b"")


def record_hash(previous: bytes, record: rules_pb2.AuditRecord) -> bytes:
    """The hash that a published record must have after the one before it."""
    parts, tag = parts_of(record)
    return next_hash(previous, parts, tag=tag)
