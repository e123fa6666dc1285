"""Tables of identity and rules. The tenant is part of every key."""

from __future__ import annotations

from types import MappingProxyType

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, text

from llm_mesh_policy.store.schema import Name, metadata
from llm_mesh_runtime.database import Instant


def _resources(collection: str) -> Table:
    """Resources of one kind: what the store searches by as columns, the rest as the contract's message."""
    return Table(
        collection,
        metadata,
        Column("domain", Name, primary_key=True),
        Column("id", Name, primary_key=True),
        Column("body", LargeBinary, nullable=False),
        Column("create_time", Instant, nullable=False),
        Column("update_time", Instant, nullable=False),
        Column("revision", BigInteger, nullable=False, server_default="0"),
        Index(f"{collection}_by_revision", "revision"),
    )


DOMAINS = "domains"
COLLECTIONS = (DOMAINS, "projects", "principals", "roles", "bindings", "floors")
"""New ones at the end: the numbers of their marks follow from this order."""

resources = MappingProxyType({collection: _resources(collection) for collection in COLLECTIONS})

# What was removed, for readers that still have it. Saving it again leaves the row; readers look at what is there last.
removals = Table(
    "removals",
    metadata,
    Column("collection", Name, primary_key=True),
    Column("domain", Name, primary_key=True),
    Column("id", Name, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Index("removals_by_revision", "revision"),
)

keys = Table(
    "keys",
    metadata,
    Column("domain", Name, primary_key=True),
    Column("project", Name, primary_key=True),
    Column("id", Name, primary_key=True),
    Column("principal", Name, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("previous_digest", LargeBinary),
    Column("create_time", Instant, nullable=False),
    Column("expire_time", Instant),
    Column("revoke_time", Instant),
    Column("previous_expire_time", Instant),
    Column("revision", BigInteger, nullable=False),
    Index("keys_by_id", "id", unique=True),
    Index("keys_by_revision", "revision"),
    Index("keys_that_count", "domain", sqlite_where=text("revoke_time IS NULL"), postgresql_where=text("revoke_time IS NULL")),
)

UNTOLD = 98
FORGOTTEN = 99
MARKS = MappingProxyType({collection: number for number, collection in enumerate(COLLECTIONS, start=2)})
"""For builds of the release before: by which revision a collection changed last."""
ROW_MARKS = MappingProxyType({collection: number for number, collection in enumerate(COLLECTIONS, start=102)})
"""By which revision it changed last with the revision in its rows. Lower than its mark: such a build wrote, whose rows have none."""
# Of the table `revision`: row 98 (`UNTOLD`) has the last revision by which such a build wrote, as far as it was noticed since; row 99
# (`FORGOTTEN`) that up to which removals are not kept any more.
bootstraps = Table(
    "bootstraps",
    metadata,
    Column("token_digest", LargeBinary, primary_key=True),
    Column("time", Instant, nullable=False),
    Column("principal", Name, nullable=False),
)

peppers = Table("peppers", metadata, Column("check_digest", LargeBinary, primary_key=True), Column("time", Instant, nullable=False))
