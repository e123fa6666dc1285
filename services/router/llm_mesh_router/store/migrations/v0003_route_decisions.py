"""Decisions, which outlive the router."""

import sqlalchemy as sa
from alembic.operations import Operations

from llm_mesh_runtime.database import Instant


def upgrade(op: Operations) -> None:
    """Makes the table."""
    op.create_table(
        "route_decisions",
        sa.Column("domain", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created", Instant, nullable=False),
    )
    op.create_index("route_decisions_request", "route_decisions", ["domain", "request_id"])
    op.create_index("route_decisions_created", "route_decisions", ["created"])
