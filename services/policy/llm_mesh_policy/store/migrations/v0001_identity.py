"""Identity, rules and audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

_Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_Counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade(op: Operations) -> None:
    """From nothing to the first release."""
    for collection in ("domains", "projects", "principals", "roles", "bindings"):
        op.create_table(
            collection,
            sa.Column("domain", _Name, primary_key=True),
            sa.Column("id", _Name, primary_key=True),
            sa.Column("body", sa.LargeBinary, nullable=False),
            sa.Column("create_time", sa.BigInteger, nullable=False),
            sa.Column("update_time", sa.BigInteger, nullable=False),
        )
    op.create_table(
        "keys",
        sa.Column("domain", _Name, primary_key=True),
        sa.Column("project", _Name, primary_key=True),
        sa.Column("id", _Name, primary_key=True),
        sa.Column("principal", _Name, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("previous_digest", sa.LargeBinary),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.Column("expire_time", sa.BigInteger),
        sa.Column("revoke_time", sa.BigInteger),
        sa.Column("previous_expire_time", sa.BigInteger),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_index("keys_by_id", "keys", ["id"], unique=True)
    op.create_index("keys_by_revision", "keys", ["revision"])
    revision = op.create_table(
        "revision",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(revision, [{"id": 1, "value": 1}])
    op.create_table(
        "bootstraps",
        sa.Column("token_digest", sa.LargeBinary, primary_key=True),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("principal", _Name, nullable=False),
    )
    op.create_table(
        "peppers",
        sa.Column("check_digest", sa.LargeBinary, primary_key=True),
        sa.Column("time", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit_records",
        sa.Column("sequence", _Counter, primary_key=True, autoincrement=True),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("domain", _Name, nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("allowed", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("writer", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_index("audit_records_by_domain", "audit_records", ["domain", "sequence"])
    op.create_index("audit_records_by_request", "audit_records", ["request_id"])
