"""Tables of stored content. Domain and project are in every primary key; what is said stands in `sealed` columns alone."""

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text

from llm_mesh_runtime.database import Instant
from llm_mesh_runtime.outbox.tables import outbox_table

METADATA = MetaData()

OUTBOX = outbox_table(METADATA)
"""Changes that are not recorded in the audit trail yet."""

KEYS = Table(
    "content_keys",
    METADATA,
    Column("domain", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("principal", Text, nullable=False),
    Column("end_user", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created", Instant, nullable=False),
    Index("ix_content_keys_author", "domain", "project", "principal", "end_user", unique=True),
)
"""One for each author. Whatever has no key any more cannot be read, and is purged."""

RESPONSES = Table(
    "responses",
    METADATA,
    Column("domain", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("content_key", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("created", Instant, nullable=False),
    Column("instance", Text, nullable=False),
    Column("cancelling", Boolean, nullable=False),
    Index("ix_responses_created", "created"),
    Index("ix_responses_key", "content_key"),
    Index("ix_responses_instance", "instance"),
)
"""`instance` runs the response; empty: it has ended."""

EVENTS = Table(
    "response_events",
    METADATA,
    Column("domain", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("response", Text, primary_key=True),
    Column("first", Integer, primary_key=True),
    Column("behind", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""Batches of events: from number `first` to the one before `behind`."""

CONVERSATIONS = Table(
    "conversations",
    METADATA,
    Column("domain", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("content_key", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("items", Integer, nullable=False),
    Column("created", Instant, nullable=False),
    Index("ix_conversations_created", "created"),
    Index("ix_conversations_key", "content_key"),
)
"""`items` counts all that were ever added: the next one's number. `size` is that of all its items."""

ITEMS = Table(
    "conversation_items",
    METADATA,
    Column("domain", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("conversation", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Index("ix_conversation_items_id", "domain", "project", "conversation", "id", unique=True),
)

RETENTIONS = Table(
    "retentions",
    METADATA,
    Column("domain", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("days", Integer, nullable=False),
)

INSTANCES = Table("run_instances", METADATA, Column("instance", Text, primary_key=True), Column("seen", Instant, nullable=False))
"""When each instance that runs responses was last alive."""
