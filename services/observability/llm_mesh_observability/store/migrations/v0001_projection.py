"""The projection: entries, the lines that are summed, tags, progress and feedback."""

import sqlalchemy as sa
from alembic.operations import Operations

from llm_mesh_runtime.database import Counter, Instant, Nanos


def upgrade(op: Operations) -> None:
    """Makes the tables."""
    op.create_table(
        "entries",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", Counter, nullable=False),
        sa.Column("sequence", Counter, nullable=False, unique=True),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("entries_domain", "entries", ["domain", "sequence"])
    op.create_index("entries_project", "entries", ["project", "sequence"])
    texts = ("domain", "project", "api_key", "principal", "alias", "model", "currency")
    op.create_table(
        "spend_lines",
        sa.Column("entry", sa.Text, primary_key=True),
        sa.Column("attempt", sa.Text, primary_key=True),
        sa.Column("at", Instant, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("charged", Nanos, nullable=False),
        sa.Column("estimated", Nanos, nullable=False),
        sa.Column("requests", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        *(sa.Column(name, Nanos, nullable=False) for name in ("input_tokens", "output_tokens", "cached_input_tokens")),
    )
    op.create_index("spend_lines_domain", "spend_lines", ["domain", "at"])
    op.create_index("spend_lines_project", "spend_lines", ["project", "at"])
    op.create_index("spend_lines_at", "spend_lines", ["at"])
    op.create_table(
        "entry_tags",
        sa.Column("entry", sa.Text, primary_key=True),
        sa.Column("tag", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    progress = op.create_table(
        "progress",
        sa.Column("id", Counter, primary_key=True),
        sa.Column("through", Counter, nullable=False),
        sa.Column("catching_up", sa.Integer, nullable=False),
    )
    op.bulk_insert(progress, [{"id": 1, "through": 0, "catching_up": 1}])
    op.create_table(
        "feedback",
        sa.Column("request", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
