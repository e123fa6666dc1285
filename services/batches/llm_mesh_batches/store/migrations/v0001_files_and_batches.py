"""Files, batches, their lines, and the outbox of changes that are to be recorded in the audit trail."""

import sqlalchemy as sa
from alembic.operations import Operations

from llm_mesh_runtime.database import Instant
from llm_mesh_runtime.outbox.tables import create_outbox


def upgrade(op: Operations) -> None:
    """Makes the tables."""
    create_outbox(op)
    op.create_table(
        "batches_files",
        *_tenant(),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("purpose", sa.Integer, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("batch", sa.Text, nullable=False),
        sa.Column("ready", sa.Integer, nullable=False),
        sa.Column("pieces", sa.Integer, nullable=False),
        _count("bytes"),
        sa.Column("filename", sa.LargeBinary, nullable=False),
        sa.Column("created", Instant, nullable=False),
        sa.Column("expires", Instant, nullable=False),
    )
    op.create_index("ix_batches_files_expires", "batches_files", ["expires"])
    op.create_table(
        "batches_pieces",
        *_tenant(),
        sa.Column("file", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "batches_batches",
        *_tenant(),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("endpoint", sa.Integer, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("input_file", sa.Text, nullable=False),
        sa.Column("output_file", sa.Text, nullable=False),
        sa.Column("error_file", sa.Text, nullable=False),
        sa.Column("words", sa.LargeBinary, nullable=False),
        sa.Column("delegation", sa.LargeBinary, nullable=False),
        sa.Column("created", Instant, nullable=False),
        sa.Column("expires", Instant, nullable=False),
        *map(_count, _COUNTS),
        sa.Column("charged", sa.Text, nullable=False, server_default="{}"),
        *map(_count, ("stored_bytes", "output_bytes", "error_bytes")),
        sa.Column("reader", sa.Text, nullable=False, server_default=""),
        _count("reader_until"),
    )
    op.create_index("ix_batches_batches_state", "batches_batches", ["state", "created"])
    op.create_table(
        "batches_lines",
        *_tenant(),
        sa.Column("batch", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("custom_id", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=True),
        sa.Column("state", sa.Integer, nullable=False, server_default="0"),
        sa.Column("owner", sa.Text, nullable=False, server_default=""),
        _count("owned_until"),
        _count("not_before"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("outcome", sa.Integer, nullable=False, server_default="0"),
        sa.Column("sequence", sa.Integer, nullable=False, server_default="0"),
        sa.Column("result", sa.LargeBinary, nullable=True),
    )
    of_batch = ["domain", "project", "batch"]
    op.create_index("ix_batches_lines_digest", "batches_lines", [*of_batch, "digest"], unique=True)
    op.create_index("ix_batches_lines_state", "batches_lines", [*of_batch, "state", "number"])
    op.create_index("ix_batches_lines_sequence", "batches_lines", [*of_batch, "sequence"])
    op.create_index("ix_batches_lines_owner", "batches_lines", ["owner"])


_COUNTS = (
    "started", "cancelled_at", "ended", "deletes", "results_deleted", "total", "succeeded", "failed", "cancelled", "expired",
    "input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens",
)  # fmt: skip


def _tenant() -> tuple["sa.Column[str]", "sa.Column[str]"]:
    return sa.Column("domain", sa.Text, primary_key=True), sa.Column("project", sa.Text, primary_key=True)


def _count(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
