"""Tables of files, batches and lines. The tenant, which is domain and project, begins every key."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

from llm_mesh_runtime.database import Instant
from llm_mesh_runtime.outbox.tables import outbox_table

METADATA = MetaData()

OUTBOX = outbox_table(METADATA)
"""Changes that are not recorded in the audit trail yet."""

UPLOADED, OUTPUT, ERRORS = range(3)
"""What a file has: pieces of its own, or results of its batch that succeeded, or all other results."""

WAITING, ENDED = range(2)
"""States of a line. A line that waits and has an owner is under way."""


def _tenant() -> tuple[Column[str], Column[str]]:
    return Column("domain", Text, primary_key=True), Column("project", Text, primary_key=True)


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


FILES = Table(
    "batches_files",
    METADATA,
    *_tenant(),
    Column("id", Text, primary_key=True),
    Column("purpose", Integer, nullable=False),
    Column("part", Integer, nullable=False),
    Column("batch", Text, nullable=False),
    Column("ready", Integer, nullable=False),
    Column("pieces", Integer, nullable=False),
    _count("bytes"),
    Column("filename", LargeBinary, nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
)
Index("ix_batches_files_expires", FILES.c.expires)

PIECES = Table(
    "batches_pieces",
    METADATA,
    *_tenant(),
    Column("file", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

BATCHES = Table(
    "batches_batches",
    METADATA,
    *_tenant(),
    Column("id", Text, primary_key=True),
    Column("endpoint", Integer, nullable=False),
    Column("state", Integer, nullable=False),
    Column("input_file", Text, nullable=False),
    Column("output_file", Text, nullable=False),
    Column("error_file", Text, nullable=False),
    Column("words", LargeBinary, nullable=False),
    Column("delegation", LargeBinary, nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    _count("started"),
    _count("cancelled_at"),
    _count("ended"),
    _count("deletes"),
    _count("results_deleted"),
    _count("total"),
    _count("succeeded"),
    _count("failed"),
    _count("cancelled"),
    _count("expired"),
    _count("input_tokens"),
    _count("cached_input_tokens"),
    _count("output_tokens"),
    _count("reasoning_tokens"),
    Column("charged", Text, nullable=False, server_default="{}"),
    _count("stored_bytes"),
    _count("output_bytes"),
    _count("error_bytes"),
    Column("reader", Text, nullable=False, server_default=""),
    _count("reader_until"),
)
"""`words` is what its owner wrote, and what is wrong with its file. `reader` is the instance that reads its file."""
Index("ix_batches_batches_state", BATCHES.c.state, BATCHES.c.created)

LINES = Table(
    "batches_lines",
    METADATA,
    *_tenant(),
    Column("batch", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("custom_id", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=True),
    Column("state", Integer, nullable=False, server_default="0"),
    Column("owner", Text, nullable=False, server_default=""),
    _count("owned_until"),
    _count("not_before"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("outcome", Integer, nullable=False, server_default="0"),
    Column("sequence", Integer, nullable=False, server_default="0"),
    Column("result", LargeBinary, nullable=True),
)
"""`digest` tells a custom id from others of its batch. `sequence` counts the lines that have ended, from 1."""
Index("ix_batches_lines_digest", LINES.c.domain, LINES.c.project, LINES.c.batch, LINES.c.digest, unique=True)
Index("ix_batches_lines_state", LINES.c.domain, LINES.c.project, LINES.c.batch, LINES.c.state, LINES.c.number)
Index("ix_batches_lines_sequence", LINES.c.domain, LINES.c.project, LINES.c.batch, LINES.c.sequence)
Index("ix_batches_lines_owner", LINES.c.owner)
