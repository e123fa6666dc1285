"""Routes, and the revision that every change raises."""

import sqlalchemy as sa
from alembic.operations import Operations

from llm_mesh_runtime.database import Counter, Instant


def upgrade(op: Operations) -> None:
    """Makes the tables."""
    op.create_table(
        "routes",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created", Instant, nullable=False),
        sa.Column("updated", Instant, nullable=False),
        sa.UniqueConstraint("domain", "alias", name="routes_alias"),
    )
    op.create_index("ix_routes_domain", "routes", ["domain"])
    revision = op.create_table(
        "routes_revision", sa.Column("id", Counter, primary_key=True), sa.Column("revision", Counter, nullable=False)
    )
    op.bulk_insert(revision, [{"id": 1, "revision": 1}])
