"""A registry in which one domain publishes and others accept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_registry.domain import facts
from llm_mesh_registry.domain.feed import Feed
from llm_mesh_registry.domain.registry import Registry
from llm_mesh_registry.domain.subscriptions import Consent
from llm_mesh_registry.settings import Settings
from llm_mesh_registry.store.offers import SqlOffers
from llm_mesh_registry.store.products import SqlProducts
from llm_mesh_registry.store.subscriptions import SqlSubscriptions
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.resources import page_of
from tests.databases import migrated
from tests.recorded import Recorded, outbox_of

PLATFORM, PUBLISHER, CLAIMS, OTHER = (f"domains/{name}" for name in ("platform", "publisher", "claims", "other"))
MODEL, ROUTE = f"{PUBLISHER}/models/m", f"{PUBLISHER}/routes/r"
SUBSCRIPTION = f"{CLAIMS}/subscriptions/s"
CHEAP, DEAR = 10, 1_000
STATES = (
    registry_pb2.OFFER_STATE_UNSPECIFIED,
    registry_pb2.OFFER_STATE_NOT_ACCEPTED,
    registry_pb2.OFFER_STATE_ACCEPTED,
    registry_pb2.OFFER_STATE_PROPOSED,
)


class World:
    """A registry over one database."""

    def __init__(self, database: Database, most: int = 1_000) -> None:
        self.recorded = Recorded()
        outbox = outbox_of(database, self.recorded)
        store = SqlProducts(database, outbox, Settings().quotas)
        self.offers = SqlOffers(database, outbox)
        self.feed = Feed(store)
        self.registry = Registry(store, self.feed, SystemClock())
        self.consent = Consent(SqlSubscriptions(database, outbox, most), self.offers, self.feed)
        self.store = store

    async def publish(self, name: str = "m", nanos: int = CHEAP, domain: str = PUBLISHER, **fields: Any) -> registry_pb2.Model:
        return await self.registry.create_model(PLATFORM, domain, name, model(name, nanos, **fields))

    async def change(self, name: str = MODEL, **fields: Any) -> registry_pb2.Model:
        present = await self.registry.model(name)
        wanted = registry_pb2.Model(name=name, etag=present.etag, **fields)
        return await self.registry.update_model(PLATFORM, wanted, FieldMask(paths=list(fields)))

    async def subscribe(self, domain: str = CLAIMS, subscription_id: str = "s", **fields: Any) -> registry_pb2.Subscription:
        return await self.consent.create(domain, subscription_id, registry_pb2.Subscription(**(fields or {"product": MODEL})))

    async def accept(self, version: str = "", product: str = "") -> registry_pb2.Subscription:
        present = await self.consent.get(SUBSCRIPTION)
        versions = [registry_pb2.ProductVersion(product=product, version=version or present.proposed.version)]
        return await self.consent.update(registry_pb2.Subscription(name=SUBSCRIPTION, etag=present.etag), FieldMask(), versions)

    async def served(self, domain: str = CLAIMS) -> dict[str, registry_pb2.AcceptedProduct]:
        """By what a domain is served, as watchers hear of it."""
        everything = await self.store.everything()
        return {one.product: one for one in everything.accepted if one.domain == domain}

    async def listed(
        self, parent: str = CLAIMS, publisher: str = "", state: registry_pb2.OfferState = STATES[0]
    ) -> list[registry_pb2.Offer]:
        request = registry_pb2.ListOffersRequest(parent=parent)
        found, token = await self.consent.offers(parent, page_of(request, parent), publisher, state)
        assert not token
        return list(found)


def model(alias: str, nanos: int = CHEAP, **fields: Any) -> registry_pb2.Model:
    wanted: dict[str, Any] = {"adapter": "openai", "endpoint": "openai", "upstream_model": "up", "region": "eu", "shared_with": ["*"]}
    made = registry_pb2.Model(alias=alias, **(wanted | fields))
    if nanos:
        made.price.CopyFrom(price(nanos))
    return made


def price(nanos: int, **fields: Any) -> registry_pb2.Price:
    return registry_pb2.Price(currency="USD", input_nanos_per_million=nanos, output_nanos_per_million=nanos, source="a test", **fields)


def route(name: str = ROUTE, *targets: str, **fields: Any) -> router_pb2.Route:
    made = [router_pb2.RouteTarget(model=target) for target in targets or (MODEL,)]
    return router_pb2.Route(**{"name": name, "alias": "r", "targets": made, "shared_with": ["*"], "etag": "e"} | fields)


async def put_routes(world: World, *routes: router_pb2.Route, after: str = "", through: str = "") -> None:
    await world.consent.put_routes(registry_pb2.PutRouteOffersRequest(routes=routes, after=after, through=through))


def names(offers: Sequence[registry_pb2.Offer]) -> list[str]:
    return [offer.product for offer in offers]


async def world_of(database: Database, monkeypatch: pytest.MonkeyPatch, *, most: int = 1_000) -> World:
    """A registry in which each domain operates its endpoints: facts of endpoints bind models of domains, and have tests of their own."""
    monkeypatch.setattr(facts, "OPERATORS", facts.OPERATORS | {PUBLISHER, CLAIMS, OTHER})
    await migrated(database, "llm_mesh_registry.store.migrations")
    return World(database, most)
