"""Tables of models, their prices, adapters, offers, and subscriptions."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

from llm_mesh_runtime.database import Counter, Instant
from llm_mesh_runtime.outbox.tables import outbox_table

METADATA = MetaData()
_Name = Text().with_variant(Text(collation="C"), "postgresql")
"""Sorted by code points, as callers sort."""

MODELS = Table(
    "models",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("domain", Text, nullable=False, index=True),
    Column("alias", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("updated", Instant, nullable=False),
    UniqueConstraint("domain", "alias", name="models_alias"),
)

PRICES = Table(
    "prices",
    METADATA,
    Column("model", Text, ForeignKey("models.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""Rows are only ever added."""

ADAPTERS = Table("adapters", METADATA, Column("name", Text, primary_key=True), Column("body", LargeBinary, nullable=False))

ENDPOINTS = Table("endpoints", METADATA, Column("name", _Name, primary_key=True), Column("body", LargeBinary, nullable=False))
"""The facts of endpoints, in their operators' words."""

REVISION = Table("registry_revision", METADATA, Column("id", Counter, primary_key=True), Column("revision", Counter, nullable=False))
"""One row, which every change raises and so locks: changes happen one after the other."""

SUBSCRIPTIONS = Table(
    "subscriptions",
    METADATA,
    Column("name", _Name, primary_key=True),
    Column("domain", _Name, nullable=False),
    Column("publisher", _Name, nullable=False, index=True),
    Column("product", _Name, nullable=False),
    Column("alias", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("domain", "publisher", "product", name="subscriptions_source"),
)
"""One of `publisher` and `product` is empty."""

ACCEPTED = Table(
    "accepted_products",
    METADATA,
    Column("domain", _Name, primary_key=True),
    Column("product", _Name, primary_key=True, index=True),
    Column("subscription", _Name, ForeignKey("subscriptions.name"), nullable=False, index=True),
    Column("version", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("accepted", Instant, nullable=False),
)
"""The product as it was accepted: a model with its price, or a route. Stays while the publisher withdraws its offer."""

OFFERED_ROUTES = Table("offered_routes", METADATA, Column("name", _Name, primary_key=True), Column("body", LargeBinary, nullable=False))
"""Routes that are offered to other domains, as the router tells them."""

OFFERS = Table(
    "offers",
    METADATA,
    Column("product", _Name, primary_key=True),
    Column("receiver", _Name, primary_key=True),
    Column("publisher", _Name, nullable=False, index=True),
    Index("ix_offers_receiver", "receiver", "product"),
)
"""What `shared_with` of models and routes says, to be found by receiver: a domain, or `*`. Not of `domains/shared`."""

NOTICES = Table("registry_notices", METADATA, Column("name", Text, primary_key=True))
"""What operators were told once."""

OUTBOX = outbox_table(METADATA)
"""Changes that are not recorded in the audit trail yet."""
