"""Budgets can be closed, and limits can demand their tag."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

_Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_DEMANDS = sa.text("tag_scope != ''")


def upgrade(op: Operations) -> None:
    """Adds both to the meters; builds before this one leave them alone."""
    op.add_column("ledger_meters", sa.Column("closed", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("ledger_meters", sa.Column("tag_scope", _Name, nullable=False, server_default=""))
    op.create_index("ledger_meters_tag_scope", "ledger_meters", ["tag_scope"], sqlite_where=_DEMANDS, postgresql_where=_DEMANDS)
