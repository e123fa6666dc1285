"""An index of the keys that count against a domain's quota."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

_LIVE = sa.text("revoke_time IS NULL")


def upgrade(op: Operations) -> None:
    """Adds it."""
    op.create_index("keys_that_count", "keys", ["domain"], sqlite_where=_LIVE, postgresql_where=_LIVE)
