"""Tables of models, their prices, and adapters."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

from llm_mesh_runtime.database import Counter, Instant

METADATA = MetaData()

MODELS = Table(
    "models",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("domain", Text, nullable=False, index=True),
    Column("alias", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("updated", Instant, nullable=False),
    UniqueConstraint("domain", "alias", name="models_alias"),
)

PRICES = Table(
    "prices",
    METADATA,
    Column("model", Text, ForeignKey("models.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""Rows are only ever added."""

ADAPTERS = Table("adapters", METADATA, Column("name", Text, primary_key=True), Column("body", LargeBinary, nullable=False))

REVISION = Table("registry_revision", METADATA, Column("id", Counter, primary_key=True), Column("revision", Counter, nullable=False))
"""One row, which every change raises and so locks: changes happen one after the other."""
