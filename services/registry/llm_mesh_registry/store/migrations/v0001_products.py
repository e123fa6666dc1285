"""Models, prices, adapters, and the revision that every change raises."""

import sqlalchemy as sa
from alembic.operations import Operations

from llm_mesh_runtime.database import Counter, Instant


def upgrade(op: Operations) -> None:
    """Makes the tables."""
    op.create_table(
        "models",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("updated", Instant, nullable=False),
        sa.UniqueConstraint("domain", "alias", name="models_alias"),
    )
    op.create_index("ix_models_domain", "models", ["domain"])
    op.create_table(
        "prices",
        sa.Column("model", sa.Text, sa.ForeignKey("models.name"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table("adapters", sa.Column("name", sa.Text, primary_key=True), sa.Column("body", sa.LargeBinary, nullable=False))
    revision = op.create_table(
        "registry_revision", sa.Column("id", Counter, primary_key=True), sa.Column("revision", Counter, nullable=False)
    )
    op.bulk_insert(revision, [{"id": 1, "revision": 1}])
