"""Floors: what the platform sets about domains.

Until here the regions and the data class that the platform set for a domain stood in the domain's own resource, which its administrators
may change. What stands there at the upgrade becomes the domain's floor too: that is the safe side, and the platform can delete it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

from llm_mesh.policy.v1 import floors_pb2, identity_pb2

_Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_DOMAINS = sa.table("domains", sa.column("id"), sa.column("body"), sa.column("update_time"))


def upgrade(op: Operations) -> None:
    """Adds floors, those that follow from the domains' settings included."""
    floors = op.create_table(
        "floors",
        sa.Column("domain", _Name, primary_key=True),
        sa.Column("id", _Name, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.Column("update_time", sa.BigInteger, nullable=False),
    )
    rows = [
        {"domain": "platform", "id": row.id, "body": body, "create_time": row.update_time, "update_time": row.update_time}
        for row in op.get_bind().execute(sa.select(_DOMAINS).order_by(_DOMAINS.c.id))
        if (body := _floor_of(bytes(row.body)))
    ]
    if rows:
        op.bulk_insert(floors, rows)


def _floor_of(body: bytes) -> bytes:
    domain = identity_pb2.Domain.FromString(body)
    classes = [domain.default_data_class] if domain.default_data_class else []
    return floors_pb2.Floor(regions=domain.regions, minimum_data_classes=classes).SerializeToString(deterministic=True)
