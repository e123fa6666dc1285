"""The ledger: meters, entries, idempotency keys, epochs, readers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

_Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_HELD = sa.text("state = 1")


def upgrade(op: Operations) -> None:
    """Adds the ledger beside identity."""
    op.create_table(
        "ledger_meters",
        sa.Column("name", _Name, primary_key=True),
        sa.Column("domain", _Name, nullable=False),
        sa.Column("subject", _Name, nullable=False),
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("period", sa.BigInteger, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("window", sa.BigInteger, nullable=False),
        sa.Column("spent", sa.BigInteger, nullable=False),
        sa.Column("held", sa.BigInteger, nullable=False),
    )
    op.create_index("ledger_meters_subject", "ledger_meters", ["subject"])
    op.create_index("ledger_meters_domain", "ledger_meters", ["domain", "name"])
    op.create_table(
        "ledger_entries",
        sa.Column("domain", _Name, primary_key=True),
        sa.Column("project", _Name, primary_key=True),
        sa.Column("id", _Name, primary_key=True),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("epoch", _Name, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False),
        sa.Column("charged", sa.BigInteger, nullable=False),
        sa.Column("shared", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("reserve_time", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.Column("lines", sa.Text, nullable=False),
        sa.Column("holds", sa.Text, nullable=False),
    )
    op.create_index("ledger_entries_id", "ledger_entries", ["id"], unique=True)
    op.create_index("ledger_entries_sequence", "ledger_entries", ["sequence"], unique=True)
    op.create_index("ledger_entries_project", "ledger_entries", ["project", "reserve_time", "id"])
    op.create_index("ledger_entries_domain", "ledger_entries", ["domain", "reserve_time", "id"])
    op.create_index("ledger_entries_held", "ledger_entries", ["epoch"], sqlite_where=_HELD, postgresql_where=_HELD)
    op.create_table(
        "ledger_idempotency",
        sa.Column("domain", _Name, primary_key=True),
        sa.Column("project", _Name, primary_key=True),
        sa.Column("key", _Name, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("reservation", _Name, nullable=False),
        sa.Column("expire_time", sa.BigInteger, nullable=False),
    )
    op.create_index("ledger_idempotency_expiry", "ledger_idempotency", ["expire_time"])
    op.create_table(
        "ledger_epochs",
        sa.Column("epoch", _Name, primary_key=True),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("seen_time", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ledger_readers",
        sa.Column("name", _Name, primary_key=True),
        sa.Column("through", sa.BigInteger, nullable=False),
    )
