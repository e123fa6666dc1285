"""The one catalogue of policy's tables, which both halves of the store add to."""

from __future__ import annotations

from sqlalchemy import MetaData, Text

metadata = MetaData()

Name = Text().with_variant(Text(collation="C"), "postgresql")
"""An id or name, which sorts by its bytes on every engine, so that pages are the same everywhere."""
