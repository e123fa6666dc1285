"""Tables of prompts and their versions."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, MetaData, Table, Text

from llm_mesh_runtime.database import Instant
from llm_mesh_runtime.outbox.tables import outbox_table

METADATA = MetaData()

OUTBOX = outbox_table(METADATA)
"""Changes that are not recorded in the audit trail yet."""

PROMPTS = Table(
    "prompts",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("domain", Text, nullable=False, index=True),
    Column("etag", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("updated", Instant, nullable=False),
)

VERSIONS = Table(
    "prompt_versions",
    METADATA,
    Column("prompt", Text, ForeignKey("prompts.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""Rows are only ever added."""
