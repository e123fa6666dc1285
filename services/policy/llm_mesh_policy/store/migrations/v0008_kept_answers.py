"""Answers that are kept to be repeated."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

_Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade(op: Operations) -> None:
    """Adds them beside the idempotency keys."""
    op.create_table(
        "kept_answers",
        sa.Column("domain", _Name, primary_key=True),
        sa.Column("project", _Name, primary_key=True),
        sa.Column("key", _Name, primary_key=True),
        sa.Column("reservation", _Name, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.Column("expire_time", sa.BigInteger, nullable=False),
    )
    op.create_index("kept_answers_expiry", "kept_answers", ["expire_time"])
    op.create_index("kept_answers_age", "kept_answers", ["domain", "project", "create_time"])
    op.create_table(
        "kept_answer_rooms",
        sa.Column("domain", _Name, primary_key=True),
        sa.Column("project", _Name, primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("erase_before", sa.BigInteger, nullable=False, server_default="0"),
    )
