"""The ledger's tables. Money is in nanos, time in microseconds since 1970 UTC, names are resource names."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text

from llm_mesh_policy.store.schema import Name, metadata
from llm_mesh_runtime.database import Instant, Nanos

_HELD = 1

meters = Table(
    "ledger_meters",
    metadata,
    Column("name", Name, primary_key=True),
    Column("domain", Name, nullable=False),
    Column("subject", Name, nullable=False),
    Column("metric", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("period", BigInteger, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("window", BigInteger, nullable=False),
    Column("spent", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("closed", Instant, nullable=False, server_default="0"),
    Column("tag_scope", Name, nullable=False, server_default=""),
    Index("ledger_meters_subject", "subject"),
    Index("ledger_meters_domain", "domain", "name"),
)
"""Budgets and limits, each with what is spent and held of it in its window; when a budget was closed; and the domain in which a limit
demands its tag."""

_DEMANDS = meters.c.tag_scope != ""
Index("ledger_meters_tag_scope", meters.c.tag_scope, sqlite_where=_DEMANDS, postgresql_where=_DEMANDS)

entries = Table(
    "ledger_entries",
    metadata,
    Column("domain", Name, primary_key=True),
    Column("project", Name, primary_key=True),
    Column("id", Name, primary_key=True),
    Column("state", Integer, nullable=False),
    Column("epoch", Name, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("reserved", Nanos, nullable=False),
    Column("charged", Nanos, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("reserve_time", Instant, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sequence", BigInteger),
    Column("entry", LargeBinary, nullable=False),
    Column("lines", Text, nullable=False),
    Column("holds", Text, nullable=False),
    Index("ledger_entries_id", "id", unique=True),
    Index("ledger_entries_sequence", "sequence", unique=True),
    Index("ledger_entries_project", "project", "reserve_time", "id"),
    Index("ledger_entries_domain", "domain", "reserve_time", "id"),
)
"""One row per reservation id, from `Reserve` or an early `Release` on (then without a tenant). The row is also the outbox: every
change gives it the next `sequence`, and readers keep the last sequence that they have. `shared`: another project pays a part."""

Index("ledger_entries_held", entries.c.epoch, sqlite_where=entries.c.state == _HELD, postgresql_where=entries.c.state == _HELD)

idempotency = Table(
    "ledger_idempotency",
    metadata,
    Column("domain", Name, primary_key=True),
    Column("project", Name, primary_key=True),
    Column("key", Name, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("reservation", Name, nullable=False),
    Column("expire_time", Instant, nullable=False),
    Index("ledger_idempotency_expiry", "expire_time"),
)
"""Idempotency keys of callers, for 24 hours."""

epochs = Table(
    "ledger_epochs",
    metadata,
    Column("epoch", Name, primary_key=True),
    Column("instance", Text, nullable=False),
    Column("seen_time", Instant, nullable=False),
)
"""Gateway instances and when each was last heard of; 0: it has ended."""

readers = Table(
    "ledger_readers",
    metadata,
    Column("name", Name, primary_key=True),
    Column("through", BigInteger, nullable=False),
)
"""Readers of the outbox and the sequence up to which each has everything."""
