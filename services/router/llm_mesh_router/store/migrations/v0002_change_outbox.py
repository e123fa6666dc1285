"""The outbox of changes that are to be recorded in the audit trail."""

from alembic.operations import Operations

from llm_mesh_runtime.outbox.tables import create_outbox


def upgrade(op: Operations) -> None:
    """Makes the table."""
    create_outbox(op)
