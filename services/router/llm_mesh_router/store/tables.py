"""Tables of routes."""

from sqlalchemy import Column, Index, LargeBinary, MetaData, Table, Text, UniqueConstraint

from llm_mesh_runtime.database import Counter, Instant
from llm_mesh_runtime.outbox.tables import outbox_table

METADATA = MetaData()

OUTBOX = outbox_table(METADATA)
"""Changes that are not recorded in the audit trail yet."""

ROUTES = Table(
    "routes",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("domain", Text, nullable=False, index=True),
    Column("alias", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    UniqueConstraint("domain", "alias", name="routes_alias"),
)

REVISION = Table("routes_revision", METADATA, Column("id", Counter, primary_key=True), Column("revision", Counter, nullable=False))
"""One row, which every change of a route raises and so locks: changes happen one after the other."""

DECISIONS = Table(
    "route_decisions",
    METADATA,
    Column("domain", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created", Instant, nullable=False),
    Index("route_decisions_request", "domain", "request_id"),
    Index("route_decisions_created", "created"),
)
"""How plans came about, as `ExplainDecision` tells it."""
