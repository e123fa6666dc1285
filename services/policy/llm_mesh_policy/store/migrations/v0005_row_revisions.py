"""The revision by which each row changed, and what was removed: a reader reads what is newer than it has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

_Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade(op: Operations) -> None:
    """Adds what builds without it can ignore."""
    for collection in ("domains", "projects", "principals", "roles", "bindings", "floors"):
        op.add_column(collection, sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"))
        op.create_index(f"{collection}_by_revision", collection, ["revision"])
    op.create_table(
        "removals",
        sa.Column("collection", _Name, primary_key=True),
        sa.Column("domain", _Name, primary_key=True),
        sa.Column("id", _Name, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_index("removals_by_revision", "removals", ["revision"])
