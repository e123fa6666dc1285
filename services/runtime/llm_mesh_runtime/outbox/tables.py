"""The outbox's table, which each service that uses one has in its own database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

from llm_mesh_runtime.database import Counter

_NAME = "change_outbox"


def outbox_table(metadata: sa.MetaData) -> sa.Table:
    """Changes that policy has not recorded yet, in their order. Rows are deleted once it has."""
    return sa.Table(
        _NAME,
        metadata,
        sa.Column("sequence", Counter, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.Text, nullable=False, unique=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def create_outbox(op: Operations) -> None:
    """Makes the table, in a migration."""
    op.create_table(
        _NAME,
        sa.Column("sequence", Counter, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.Text, nullable=False, unique=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
