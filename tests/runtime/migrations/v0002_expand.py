"""Adds what builds without it can ignore."""

import sqlalchemy as sa
from alembic.operations import Operations


def upgrade(op: Operations) -> None:
    """Adds a column and an index."""
    op.add_column("keys", sa.Column("owner", sa.Text, nullable=False, server_default=""))
    op.create_index("keys_by_owner", "keys", ["owner"])
