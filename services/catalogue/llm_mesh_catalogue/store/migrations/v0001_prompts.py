"""Prompts and their versions."""

import sqlalchemy as sa
from alembic.operations import Operations

from llm_mesh_runtime.database import Instant


def upgrade(op: Operations) -> None:
    """Makes the tables."""
    op.create_table(
        "prompts",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("updated", Instant, nullable=False),
    )
    op.create_index("ix_prompts_domain", "prompts", ["domain"])
    op.create_table(
        "prompt_versions",
        sa.Column("prompt", sa.Text, sa.ForeignKey("prompts.name"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
