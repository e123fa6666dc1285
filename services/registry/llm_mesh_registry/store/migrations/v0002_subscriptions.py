"""Offers, subscriptions and what was accepted with them. What domains shared with each other before is offered, and accepted by nobody."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic.operations import Operations

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_runtime.database import Instant

_Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_SHARED = "domains/shared"


def upgrade(op: Operations) -> None:
    """Makes the tables, and lists present shares as offers."""
    op.create_table(
        "subscriptions",
        sa.Column("name", _Name, primary_key=True),
        sa.Column("domain", _Name, nullable=False),
        sa.Column("publisher", _Name, nullable=False),
        sa.Column("product", _Name, nullable=False),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("domain", "publisher", "product", name="subscriptions_source"),
    )
    op.create_index("ix_subscriptions_publisher", "subscriptions", ["publisher"])
    op.create_table(
        "accepted_products",
        sa.Column("domain", _Name, primary_key=True),
        sa.Column("product", _Name, primary_key=True),
        sa.Column("subscription", _Name, sa.ForeignKey("subscriptions.name"), nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("accepted", Instant, nullable=False),
    )
    op.create_index("ix_accepted_products_product", "accepted_products", ["product"])
    op.create_index("ix_accepted_products_subscription", "accepted_products", ["subscription"])
    op.create_table("offered_routes", sa.Column("name", _Name, primary_key=True), sa.Column("body", sa.LargeBinary, nullable=False))
    offers = op.create_table(
        "offers",
        sa.Column("product", _Name, primary_key=True),
        sa.Column("receiver", _Name, primary_key=True),
        sa.Column("publisher", _Name, nullable=False),
    )
    op.create_index("ix_offers_receiver", "offers", ["receiver", "product"])
    op.create_index("ix_offers_publisher", "offers", ["publisher"])
    op.create_table("registry_notices", sa.Column("name", sa.Text, primary_key=True))
    rows = list(_present_offers(op.get_bind()))
    if rows:
        op.bulk_insert(offers, rows)


def _present_offers(connection: sa.Connection) -> Iterator[dict[str, str]]:
    models = sa.table("models", sa.column("name"), sa.column("domain"), sa.column("body"))
    for row in connection.execute(sa.select(models).where(models.c.domain != _SHARED)):
        for receiver in sorted(set(registry_pb2.Model.FromString(row.body).shared_with)):
            yield {"product": row.name, "receiver": receiver, "publisher": row.domain}
