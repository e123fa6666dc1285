"""Stored responses and conversations, the keys that they are sealed with, and retentions."""

import sqlalchemy as sa
from alembic.operations import Operations

from llm_mesh_runtime.database import Instant
from llm_mesh_runtime.outbox.tables import create_outbox


def upgrade(op: Operations) -> None:
    """Makes the tables."""
    create_outbox(op)
    op.create_table(
        "content_keys",
        *_place(sa.Column("id", sa.Text, primary_key=True)),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("end_user", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created", Instant, nullable=False),
    )
    op.create_index("ix_content_keys_author", "content_keys", ["domain", "project", "principal", "end_user"], unique=True)
    op.create_table(
        "responses",
        *_place(sa.Column("id", sa.Text, primary_key=True)),
        *_sealed(),
        sa.Column("created", Instant, nullable=False),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("cancelling", sa.Boolean, nullable=False),
    )
    op.create_index("ix_responses_created", "responses", ["created"])
    op.create_index("ix_responses_key", "responses", ["content_key"])
    op.create_index("ix_responses_instance", "responses", ["instance"])
    op.create_table(
        "response_events",
        *_place(sa.Column("response", sa.Text, primary_key=True)),
        sa.Column("first", sa.Integer, primary_key=True),
        sa.Column("behind", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "conversations",
        *_place(sa.Column("id", sa.Text, primary_key=True)),
        *_sealed(),
        sa.Column("items", sa.Integer, nullable=False),
        sa.Column("created", Instant, nullable=False),
    )
    op.create_index("ix_conversations_created", "conversations", ["created"])
    op.create_index("ix_conversations_key", "conversations", ["content_key"])
    op.create_table(
        "conversation_items",
        *_place(sa.Column("conversation", sa.Text, primary_key=True)),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
    )
    op.create_index("ix_conversation_items_id", "conversation_items", ["domain", "project", "conversation", "id"], unique=True)
    op.create_table("retentions", *_place(), sa.Column("days", sa.Integer, nullable=False))
    op.create_table("run_instances", sa.Column("instance", sa.Text, primary_key=True), sa.Column("seen", Instant, nullable=False))


def _place(*further: sa.Column[str]) -> list[sa.Column[str]]:
    return [sa.Column("domain", sa.Text, primary_key=True), sa.Column("project", sa.Text, primary_key=True), *further]


def _sealed() -> list[sa.Column[object]]:
    return [
        sa.Column("content_key", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
    ]
