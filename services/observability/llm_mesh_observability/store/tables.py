"""Tables of the projection. All but feedback can be thrown away and rebuilt from the ledger."""

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, Table, Text

from llm_mesh_runtime.database import Counter, Instant, Nanos

METADATA = MetaData()

ENTRIES = Table(
    "entries",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("version", Counter, nullable=False),
    Column("sequence", Counter, nullable=False, unique=True),
    Column("domain", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("entries_domain", "domain", "sequence"),
    Index("entries_project", "project", "sequence"),
)
"""One row per request, as it stands now; `sequence` is that of its last event."""

LINES = Table(
    "spend_lines",
    METADATA,
    Column("entry", Text, primary_key=True),
    Column("attempt", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("domain", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("api_key", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("alias", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("charged", Nanos, nullable=False),
    Column("estimated", Nanos, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("input_tokens", Nanos, nullable=False),
    Column("output_tokens", Nanos, nullable=False),
    Column("cached_input_tokens", Nanos, nullable=False),
    Index("spend_lines_domain", "domain", "at"),
    Index("spend_lines_project", "project", "at"),
    Index("spend_lines_at", "at"),
)

TAGS = Table(
    "entry_tags",
    METADATA,
    Column("entry", Text, primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

PROGRESS = Table(
    "progress",
    METADATA,
    Column("id", Counter, primary_key=True),
    Column("through", Counter, nullable=False),
    Column("catching_up", Integer, nullable=False),
)
"""One row: everything up to `through` is known; while older events are missing, only their replay moves it."""

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("request", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
