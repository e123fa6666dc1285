"""The facts of endpoints, and the outbox of changes that are to be recorded in the audit trail."""

import sqlalchemy as sa
from alembic.operations import Operations

from llm_mesh_runtime.outbox.tables import create_outbox

_Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade(op: Operations) -> None:
    """Makes the tables."""
    op.create_table("endpoints", sa.Column("name", _Name, primary_key=True), sa.Column("body", sa.LargeBinary, nullable=False))
    create_outbox(op)
