"""The registry, put together."""

from __future__ import annotations

from datetime import UTC, datetime

from llm_mesh.registry.v1 import registry_pb2_grpc
from llm_mesh_registry.domain.endpoint_facts import EndpointFacts
from llm_mesh_registry.domain.endpoint_feed import EndpointFeed
from llm_mesh_registry.domain.feed import Feed
from llm_mesh_registry.domain.ports import Offers
from llm_mesh_registry.domain.registry import Registry
from llm_mesh_registry.domain.subscriptions import Consent
from llm_mesh_registry.domain.well_known import WellKnownModels
from llm_mesh_registry.servicer import RegistryServicer
from llm_mesh_registry.settings import Settings
from llm_mesh_registry.store.endpoints import SqlEndpoints
from llm_mesh_registry.store.offers import SqlOffers
from llm_mesh_registry.store.products import SqlProducts
from llm_mesh_registry.store.subscriptions import SqlSubscriptions
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.database import check, micros, migrate
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.outbox import Outbox, RecordingPeer
from llm_mesh_runtime.refresh import repeat
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.tasks import TaskSet

_MIGRATIONS = "llm_mesh_registry.store.migrations"
_MOST_NAMED = 50


def build(settings: Settings, links: Links) -> Servicers:
    """Puts the registry together."""
    database = links.database("registry")
    outbox = Outbox(database, RecordingPeer(links.channel("policy")))
    store, offers = SqlProducts(database, outbox, settings.quotas), SqlOffers(database, outbox)
    endpoint_feed = EndpointFeed()
    feed = Feed(store, endpoint_feed)
    endpoint_facts = EndpointFacts(SqlEndpoints(database, outbox, settings.quotas), feed)
    consent = Consent(SqlSubscriptions(database, outbox, settings.most_subscriptions), offers, feed)
    tasks = TaskSet()

    async def start() -> None:
        await (migrate if links.mesh.embedded else check)(database, _MIGRATIONS)
        outbox.start()
        await _notice(offers)
        await feed.refresh()
        tasks.spawn(_refresh(feed, offers, settings.refresh.total_seconds()), name="registry.feed")

    async def close() -> None:
        await tasks.close()
        await outbox.close()
        await database.close()

    lifetime = settings.watch_lifetime.total_seconds()
    servicer = RegistryServicer(
        Registry(store, feed, SystemClock()), endpoint_facts, consent, feed, endpoint_feed, WellKnownModels(), watch_lifetime=lifetime
    )
    return Servicers((registry_pb2_grpc.add_RegistryServiceServicer_to_server, servicer), ready=database.ready, start=start, close=close)


async def _notice(offers: Offers) -> None:
    """Tells once, after the upgrade to consent, which shares do not serve any more until the other domain accepts them."""
    products = await offers.not_accepted_once()
    if products:
        get_logger().warning(
            "offers of domains to each other serve nobody until they are accepted: see `llm-mesh subscriptions offers`",
            offers=len(products),
            products=list(products[:_MOST_NAMED]),
        )


async def _refresh(feed: Feed, offers: Offers, pause: float) -> None:
    """Looks for changes that other instances made, and for prices that begin or end."""

    async def turn() -> None:
        now = micros(datetime.now(UTC))
        if feed.is_due(now):
            await offers.accept_new()
        await feed.refresh(now)

    await repeat(turn, pause, delay=pause, failing="the registry could not be read anew; watchers keep what they know")


service = Service.declared("registry", settings=Settings, build=build)
