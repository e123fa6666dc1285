"""The revision that every change of identity and rules moves, in its own transaction.

It stands below the slices, so that each may read it within its own statement and tell whether what it knows still holds.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table

from llm_mesh_policy.store.schema import metadata
from llm_mesh_runtime.database.prepared import Row

MAKING = 0
# Row 1 has the revision; row 0 (`MAKING`) a number that each making of a revision draws anew, by which one that was undone is told
# from the next of its number; the others belong to the store of identity.
revision = Table(
    "revision", metadata, Column("id", BigInteger, primary_key=True, autoincrement=False), Column("value", BigInteger, nullable=False)
)
Revision = Row
"""The revision's number, and what was drawn when it was made."""
REVISION_SQL = f"(SELECT value FROM revision WHERE id = 1), (SELECT value FROM revision WHERE id = {MAKING})"  # noqa: S608 (a number)
"""The columns of a `Revision`, for the one statement of another slice."""
