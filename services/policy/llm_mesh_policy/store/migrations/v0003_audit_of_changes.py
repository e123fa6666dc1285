"""Audit records of administrative changes, and the heads of the chains, computed for what is there."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from alembic.operations import Operations

_OF_CHANGES = sa.text("event_id IS NOT NULL")


def upgrade(op: Operations) -> None:
    """Adds columns and the table of heads."""
    for name in ("event_id", "source", "reason"):
        op.add_column("audit_records", sa.Column(name, sa.Text))
    for name in ("before_digest", "after_digest"):
        op.add_column("audit_records", sa.Column(name, sa.LargeBinary))
    op.create_index(
        "audit_records_by_event",
        "audit_records",
        ["source", "event_id"],
        unique=True,
        sqlite_where=_OF_CHANGES,
        postgresql_where=_OF_CHANGES,
    )
    heads = op.create_table(
        "audit_heads",
        sa.Column("writer", sa.Text, primary_key=True),
        sa.Column("records", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("numbering", sa.LargeBinary, nullable=False),
    )
    present = _heads(op)
    if present:
        op.bulk_insert(heads, present)


def _heads(op: Operations) -> list[dict[str, object]]:
    records = sa.table(
        "audit_records", sa.column("sequence", sa.BigInteger), sa.column("writer", sa.Text), sa.column("hash", sa.LargeBinary)
    )
    heads: dict[str, dict[str, object]] = {}
    numberings: dict[str, bytes] = {}
    counts: dict[str, int] = {}
    for sequence, writer, digest in op.get_bind().execute(sa.select(records).order_by(records.c.sequence)):
        before = numberings.get(writer, bytes(32))
        numberings[writer] = hashlib.sha256(before + sequence.to_bytes(8, "big", signed=True)).digest()
        counts[writer] = counts.get(writer, 0) + 1
        heads[writer] = {
            "writer": writer, "records": counts[writer], "hash": digest, "sequence": sequence, "numbering": numberings[writer],
        }  # fmt: skip
    return list(heads.values())
