"""The tables of kept answers."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from llm_mesh_policy.store.schema import Name, metadata
from llm_mesh_runtime.database import Instant

answers = Table(
    "kept_answers",
    metadata,
    Column("domain", Name, primary_key=True),
    Column("project", Name, primary_key=True),
    Column("key", Name, primary_key=True),
    Column("reservation", Name, nullable=False),
    Column("type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("create_time", Instant, nullable=False),
    Column("expire_time", Instant, nullable=False),
    Index("kept_answers_expiry", "expire_time"),
    Index("kept_answers_age", "domain", "project", "create_time"),
)
"""Answers by idempotency key. `content` is encrypted, `size` is its length."""

rooms = Table(
    "kept_answer_rooms",
    metadata,
    Column("domain", Name, primary_key=True),
    Column("project", Name, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("erase_before", Instant, nullable=False, server_default="0"),
)
"""How much the answers of a project take together. What was kept until `erase_before` is erased, and answered to nobody meanwhile."""
