"""The first tables."""

import sqlalchemy as sa
from alembic.operations import Operations


def upgrade(op: Operations) -> None:
    """Makes them."""
    op.create_table("keys", sa.Column("id", sa.Text, primary_key=True), sa.Column("nanos", sa.BigInteger, nullable=False))
