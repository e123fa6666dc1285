"""An offer serves a domain once that accepts it, as it was accepted: over SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_registry.domain import facts
from llm_mesh_registry.domain.feed import Feed
from llm_mesh_registry.domain.registry import Registry
from llm_mesh_registry.domain.subscriptions import Consent
from llm_mesh_registry.domain.terms import proposed_fields, served_model
from llm_mesh_registry.settings import Settings
from llm_mesh_registry.store.offers import SqlOffers
from llm_mesh_registry.store.products import SqlProducts
from llm_mesh_registry.store.subscriptions import SqlSubscriptions
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.database import Database, micros, migrate
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import page_of
from tests.recorded import outbox_of

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
        outbox = outbox_of(database)
        store = SqlProducts(database, outbox, Settings().quotas)
        self.offers = SqlOffers(database)
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


@pytest.fixture(autouse=True)
def all_are_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts of endpoints bind models of domains, and have tests of their own: here each domain operates its endpoints."""
    monkeypatch.setattr(facts, "OPERATORS", facts.OPERATORS | {PUBLISHER, CLAIMS, OTHER})


@pytest.fixture
async def world(database: Database) -> World:
    await migrate(database, "llm_mesh_registry.store.migrations")
    return World(database)


def names(offers: Sequence[registry_pb2.Offer]) -> list[str]:
    return [offer.product for offer in offers]


async def test_an_offer_serves_nobody_until_it_is_accepted(world: World) -> None:
    await world.publish()
    assert await world.served() == {}
    created = await world.subscribe()
    assert (created.model.name, created.accepted_version) == (MODEL, created.accepted_version)
    assert list(await world.served()) == [MODEL]
    assert await world.served(OTHER) == {}


async def test_what_is_not_offered_to_a_domain_cannot_be_accepted_and_looks_absent(world: World) -> None:
    await world.publish(shared_with=[OTHER])
    failures = []
    for product in (MODEL, f"{PUBLISHER}/models/none", ROUTE):
        with pytest.raises(MeshError) as failure:
            await world.subscribe(product=product)
        failures.append(failure.value.message.replace(product, "it"))
        assert (failure.value.reason_name, failure.value.field) == ("NOT_FOUND", "subscription.product")
    assert len(set(failures)) == 1
    assert await world.listed() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("region", "us"),
        ("data_classes", ["public"]),
        ("endpoint", "elsewhere"),
        ("adapter", "anthropic"),
        ("upstream_model", "another"),
        ("credential", "another"),
        ("dialect", "another"),
        ("zero_retention", True),
        ("free", True),
        ("alias", "another"),
    ],
)
async def test_a_pinned_term_stays_as_accepted_until_the_change_is(world: World, field: str, value: Any) -> None:
    await world.publish()
    accepted = await world.subscribe()
    before = (await world.served())[MODEL]
    await world.change(**{field: value})
    after = (await world.served())[MODEL]
    assert getattr(after.model, field) == getattr(before.model, field)
    assert (after.version, after.alias) == (before.version, before.alias)
    proposal = (await world.consent.get(SUBSCRIPTION)).proposed
    assert list(proposal.proposed_fields) == [field]
    assert proposal.version != accepted.accepted_version
    updated = await world.accept()
    assert not updated.HasField("proposed")
    assert getattr((await world.served())[MODEL].model, field) == value


async def test_what_is_no_term_follows_the_publisher(world: World) -> None:
    await world.publish()
    await world.subscribe()
    await world.change(capabilities=["tools"], context_window=99, display_name="new")
    served = (await world.served())[MODEL].model
    assert (list(served.capabilities), served.context_window, served.display_name) == (["tools"], 99, "new")
    assert (await world.consent.get(SUBSCRIPTION)).proposals == 0


async def test_a_dearer_price_is_a_proposal_and_a_cheaper_one_applies_by_itself(world: World) -> None:
    await world.publish(nanos=100)
    await world.subscribe()
    await world.registry.create_price(MODEL, price(101))
    assert (await world.served())[MODEL].model.price.name == f"{MODEL}/prices/1"
    assert list((await world.listed(state=registry_pb2.OFFER_STATE_PROPOSED))[0].proposed_fields) == ["price"]
    await world.registry.create_price(MODEL, price(40))
    cheaper = (await world.served())[MODEL]
    assert (cheaper.model.price.name, cheaper.accepted_price.name) == (f"{MODEL}/prices/3", f"{MODEL}/prices/1")
    assert not (await world.consent.get(SUBSCRIPTION)).HasField("proposed")
    await world.registry.create_price(MODEL, price(DEAR))
    assert (await world.served())[MODEL].model.price.name == f"{MODEL}/prices/1"
    await world.accept()
    assert (await world.served())[MODEL].model.price.name == f"{MODEL}/prices/4"


@pytest.mark.parametrize(
    "dearer",
    [
        {"cached_input_nanos_per_million": 101},
        {"cache_write_nanos_per_million": 101},
        {"reasoning_nanos_per_million": 101},
        {"audio_input_nanos_per_million": 101},
        {"audio_output_nanos_per_million": 101},
        {"request_nanos_per_million": 1},
        {"output_nanos_per_million": 101},
    ],
)
async def test_one_dearer_component_is_enough_to_need_consent(world: World, dearer: dict[str, int]) -> None:
    await world.publish(nanos=100)
    await world.subscribe()
    later = price(1)
    for name, nanos in dearer.items():
        setattr(later, name, nanos)
    await world.registry.create_price(MODEL, later)
    assert (await world.served())[MODEL].model.price.name == f"{MODEL}/prices/1"


async def test_another_currency_needs_consent(world: World) -> None:
    await world.publish(nanos=100)
    await world.subscribe()
    later = price(1)
    later.currency = "EUR"
    await world.registry.create_price(MODEL, later)
    assert (await world.served())[MODEL].model.price.currency == "USD"


def test_an_accepted_price_ends_when_it_says_so_itself() -> None:
    accepted, offered = model("m", CHEAP), model("m", DEAR)
    accepted.price.valid_until.FromMicroseconds(1_000)
    assert served_model(accepted, offered, 999).price.input_nanos_per_million == CHEAP
    assert not served_model(accepted, offered, 1_000).HasField("price")
    assert proposed_fields(accepted, offered) == ["price"]


@pytest.mark.parametrize("fields", [{"shared_with": []}, {"shared_with": [OTHER]}, {"lifecycle": registry_pb2.LIFECYCLE_RETIRED}])
async def test_a_withdrawn_or_retired_product_serves_no_more_and_comes_back_as_it_was_accepted(
    world: World, fields: dict[str, Any]
) -> None:
    await world.publish()
    accepted = await world.subscribe()
    await world.change(**fields)
    assert await world.served() == {}
    assert (await world.consent.get(SUBSCRIPTION)).withdrawn
    await world.registry.create_price(MODEL, price(DEAR))
    await world.change(shared_with=["*"], lifecycle=registry_pb2.LIFECYCLE_ACTIVE)
    served = (await world.served())[MODEL]
    assert (served.version, served.model.price.input_nanos_per_million) == (accepted.accepted_version, CHEAP)


async def test_a_version_that_is_not_offered_any_more_is_not_accepted(world: World) -> None:
    await world.publish()
    seen = (await world.listed())[0].version
    await world.registry.create_price(MODEL, price(DEAR))
    with pytest.raises(MeshError, match="ETAG_MISMATCH"):
        await world.subscribe(product=MODEL, accepted_version=seen)
    await world.subscribe(product=MODEL, accepted_version=(await world.listed())[0].version)
    await world.change(region="us")
    proposed = (await world.consent.get(SUBSCRIPTION)).proposed.version
    await world.change(region="cn")
    with pytest.raises(MeshError, match="ETAG_MISMATCH"):
        await world.accept(proposed)
    assert (await world.served())[MODEL].model.region == "eu"


async def test_a_subscription_by_publisher_accepts_what_comes_as_it_first_came(world: World) -> None:
    await world.publish("first")
    created = await world.subscribe(publisher=PUBLISHER)
    assert (created.products, created.accepted_version) == (1, "")
    await world.publish("second", 7)
    await world.registry.create_price(f"{PUBLISHER}/models/second", price(DEAR))
    await put_routes(world, route())
    await put_routes(world, route(ROUTE, "domains/publisher/models/second"))
    served = await world.served()
    assert sorted(served) == [f"{PUBLISHER}/models/first", f"{PUBLISHER}/models/second", ROUTE]
    assert served[f"{PUBLISHER}/models/second"].model.price.input_nanos_per_million == 7
    assert [target.model for target in served[ROUTE].route.targets] == [MODEL]
    whole = await world.consent.get(SUBSCRIPTION)
    assert (whole.products, whole.proposals) == (3, 2)
    version = next(offer.version for offer in await world.listed() if offer.product == ROUTE)
    await world.accept(version, ROUTE)
    assert [target.model for target in (await world.served())[ROUTE].route.targets] == ["domains/publisher/models/second"]


async def test_a_subscription_by_publisher_waits_for_the_first_price(world: World) -> None:
    await world.subscribe(publisher=PUBLISHER)
    await world.publish("m", 0)
    assert await world.served() == {}
    await world.registry.create_price(MODEL, price(7))
    assert (await world.served())[MODEL].model.price.input_nanos_per_million == 7


async def test_a_first_price_that_begins_by_itself_is_accepted_when_it_does(world: World) -> None:
    await world.subscribe(publisher=PUBLISHER)
    await world.publish("m", 0)
    later = price(7)
    begin = datetime.now(UTC) + timedelta(seconds=1)
    later.valid_from.FromDatetime(begin)
    await world.registry.create_price(MODEL, later)
    assert await world.served() == {}
    await world.feed.refresh()
    assert [world.feed.is_due(micros(begin) + after) for after in (-1, 0)] == [False, True]
    while not await world.served():
        await world.offers.accept_new()
    assert (await world.served())[MODEL].model.price.input_nanos_per_million == 7


async def test_a_product_of_a_subscription_by_publisher_can_have_one_of_its_own(world: World) -> None:
    await world.publish()
    await world.subscribe(subscription_id="whole", publisher=PUBLISHER)
    await world.subscribe(product=MODEL, alias="mine")
    served = (await world.served())[MODEL]
    assert (served.subscription, served.alias, served.own_alias) == (SUBSCRIPTION, "mine", True)
    await world.registry.create_price(MODEL, price(DEAR))
    await world.consent.delete(SUBSCRIPTION, "")
    served = (await world.served())[MODEL]
    assert (served.subscription, served.alias, served.own_alias) == (f"{CLAIMS}/subscriptions/whole", "m", False)
    assert served.model.price.input_nanos_per_million == CHEAP
    await world.consent.delete(f"{CLAIMS}/subscriptions/whole", "")
    assert await world.served() == {}


async def test_a_route_is_pinned_with_its_targets(world: World) -> None:
    await put_routes(world, route())
    await world.subscribe(product=ROUTE)
    await put_routes(world, route(ROUTE, "domains/publisher/models/dear", etag="e2"))
    assert [target.model for target in (await world.served())[ROUTE].route.targets] == [MODEL]
    whole = await world.consent.get(SUBSCRIPTION)
    assert list(whole.proposed.proposed_fields) == ["targets"]
    await put_routes(world, route(ROUTE, shared_with=["*", OTHER], etag="e3"))
    assert not (await world.consent.get(SUBSCRIPTION)).HasField("proposed"), "who else gets it is no term"
    await put_routes(world)
    assert await world.served() == {}


async def test_offered_routes_are_replaced_within_their_range_only(world: World) -> None:
    first, second, third = (f"{PUBLISHER}/routes/{letter}" for letter in "abc")
    await put_routes(world, route(first, alias="a"), route(second, alias="b"), route(third, alias="c"))
    await put_routes(world, after=first, through=second)
    assert names(await world.listed()) == [first, third]
    with pytest.raises(MeshError, match=r"routes\[0\].name"):
        await put_routes(world, route(third), after=first, through=second)


async def test_a_change_of_nothing_writes_nothing(world: World) -> None:
    await put_routes(world, route())
    revision = await world.store.revision()
    await put_routes(world, route())
    assert await world.store.revision() == revision


async def test_an_alias_is_given_once_in_a_domain(world: World) -> None:
    await world.publish()
    await world.publish("n")
    await world.registry.create_model(PLATFORM, CLAIMS, "own", model("taken"))
    with pytest.raises(MeshError, match="ALIAS_TAKEN"):
        await world.subscribe(product=MODEL, alias="taken")
    await world.subscribe(product=MODEL, alias="mine")
    with pytest.raises(MeshError, match="ALIAS_TAKEN"):
        await world.subscribe(subscription_id="t", product=f"{PUBLISHER}/models/n", alias="mine")
    with pytest.raises(MeshError, match="ALIAS_TAKEN"):
        await world.registry.create_model(PLATFORM, CLAIMS, "late", model("mine"))
    present = await world.consent.get(SUBSCRIPTION)
    renamed = registry_pb2.Subscription(name=SUBSCRIPTION, etag=present.etag, alias="other")
    assert (await world.consent.update(renamed, FieldMask(paths=["alias"]), [])).alias == "other"
    assert (await world.served())[MODEL].alias == "other"
    with pytest.raises(MeshError, match="ETAG_MISMATCH"):
        await world.consent.update(renamed, FieldMask(paths=["alias"]), [])


async def test_a_product_or_publisher_has_one_subscription_of_a_domain(world: World) -> None:
    await world.publish()
    for fields in ({"product": MODEL}, {"publisher": PUBLISHER}):
        await world.subscribe(subscription_id=next(iter(fields)), **fields)
        with pytest.raises(MeshError) as failure:
            await world.subscribe(subscription_id="again", **fields)
        assert failure.value.reason_name == "ALREADY_SUBSCRIBED"
        assert failure.value.metadata["subscription"] == f"{CLAIMS}/subscriptions/{next(iter(fields))}"
    assert list(await world.served(OTHER)) == []
    await world.subscribe(OTHER, product=MODEL)


async def test_a_domain_has_no_more_subscriptions_than_its_quota(database: Database) -> None:
    await migrate(database, "llm_mesh_registry.store.migrations")
    world = World(database, most=1)
    await world.publish()
    await world.subscribe()
    with pytest.raises(MeshError) as failure:
        await world.subscribe(subscription_id="t", publisher=PUBLISHER)
    assert (failure.value.reason_name, failure.value.quota[0][0]) == ("QUOTA_EXCEEDED", f"{CLAIMS}/subscriptions")
    await world.subscribe(OTHER)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "subscription.product"),
        ({"product": MODEL, "publisher": PUBLISHER}, "subscription.product"),
        ({"product": "nonsense"}, "subscription.product"),
        ({"product": f"{CLAIMS}/models/own"}, "subscription.product"),
        ({"product": "domains/shared/models/m"}, "subscription.product"),
        ({"publisher": "nonsense"}, "subscription.publisher"),
        ({"publisher": CLAIMS}, "subscription.publisher"),
        ({"publisher": "domains/shared"}, "subscription.publisher"),
        ({"publisher": PUBLISHER, "alias": "a"}, "subscription.alias"),
        ({"publisher": PUBLISHER, "accepted_version": "v"}, "subscription.accepted_version"),
        ({"product": MODEL, "alias": "a b"}, "subscription.alias"),
        ({"product": MODEL, "accepted_version": "v" * 65}, "subscription.accepted_version"),
    ],
)
async def test_a_subscription_of_wrong_form_is_refused_with_its_field(world: World, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(MeshError) as failure:
        await world.consent.create(CLAIMS, "s", registry_pb2.Subscription(**fields))
    assert (failure.value.reason_name, failure.value.field) == ("INVALID_FIELD", field)


async def test_offers_tell_no_other_receiver_and_no_credential(world: World) -> None:
    await world.publish(shared_with=[CLAIMS, OTHER], credential="secret-name")
    await put_routes(world, route(shared_with=[CLAIMS, OTHER]))
    await world.subscribe()
    for message in (*(await world.listed()), await world.consent.get(SUBSCRIPTION)):
        assert "other" not in str(message)
        assert "secret-name" not in str(message)
    assert (await world.served())[MODEL].model.credential == "secret-name"


async def test_offers_are_listed_by_state_and_page(world: World) -> None:
    for name in "abc":
        await world.publish(name)
    await world.publish("shared", domain="domains/shared")
    await world.subscribe(product=f"{PUBLISHER}/models/b")
    await world.registry.create_price(f"{PUBLISHER}/models/b", price(DEAR))
    states = {int(state): names(await world.listed(state=state)) for state in STATES}
    a, b, c = (f"{PUBLISHER}/models/{letter}" for letter in "abc")
    assert states == {0: [a, b, c], 1: [a, c], 2: [b], 3: [b]}
    assert names(await world.listed(PUBLISHER)) == []
    assert names(await world.listed(publisher=OTHER)) == []
    everywhere = await world.listed("domains/-")
    assert [(offer.product, list(offer.offered_to), offer.subscribers) for offer in everywhere] == [
        (a, ["*"], 0),
        (b, ["*"], 1),
        (c, ["*"], 0),
    ]
    request, seen = registry_pb2.ListOffersRequest(parent=CLAIMS, page_size=1), list[str]()
    while True:
        found, request.page_token = await world.consent.offers(CLAIMS, page_of(request, CLAIMS), "", registry_pb2.OFFER_STATE_NOT_ACCEPTED)
        seen += names(found)
        if not request.page_token:
            break
    assert seen == [a, c]


async def test_an_apply_of_subscriptions_is_idempotent_atomic_and_dry_when_asked(world: World) -> None:
    await world.publish()
    wanted = [
        registry_pb2.Subscription(name=SUBSCRIPTION, product=MODEL, alias="mine"),
        registry_pb2.Subscription(name=f"{CLAIMS}/subscriptions/whole", publisher=PUBLISHER),
    ]
    create, update, none = (getattr(resources_pb2, f"CHANGE_ACTION_{kind}") for kind in ("CREATE", "UPDATE", "NONE"))

    async def applied(*, dry_run: bool = False) -> list[resources_pb2.Change]:
        return list(await world.consent.apply(CLAIMS, wanted, dry_run=dry_run))

    assert [change.action for change in await applied(dry_run=True)] == [create, create]
    assert await world.served() == {}
    assert [change.action for change in await applied()] == [create, create]
    assert [change.action for change in await applied()] == [none, none]
    await world.change(region="us")
    assert [change.action for change in await applied()] == [none, none], "a proposal is accepted by its version only"
    wanted[0].accepted_version = (await world.listed())[0].version
    wanted[0].alias = "ours"
    changes = await applied()
    assert [field.path for field in changes[0].fields] == ["alias", "accepted_version"]
    assert (changes[0].action, (await world.served())[MODEL].model.region, (await world.served())[MODEL].alias) == (update, "us", "ours")
    wanted.append(registry_pb2.Subscription(name=f"{CLAIMS}/subscriptions/none", product=f"{PUBLISHER}/models/none"))
    wanted[0].alias = "theirs"
    with pytest.raises(MeshError) as failure:
        await applied()
    assert failure.value.field == "subscriptions[2].product"
    assert (await world.served())[MODEL].alias == "ours"
    with pytest.raises(MeshError, match=r"subscriptions\[0\].name"):
        await world.consent.apply(OTHER, wanted, dry_run=False)


async def test_shares_from_before_consent_are_offered_and_told_once(database: Database) -> None:
    await migrate(database, "llm_mesh_registry.store.migrations")
    world = World(database)
    await world.publish()
    await world.publish("taken")
    await world.publish("shared", domain="domains/shared")
    await world.subscribe(product=f"{PUBLISHER}/models/taken")
    assert list(await world.offers.not_accepted_once()) == [MODEL]
    assert list(await world.offers.not_accepted_once()) == []


async def test_watchers_hear_of_what_is_accepted_and_of_what_is_no_more(world: World) -> None:
    await world.publish()
    await world.feed.refresh()
    stream = world.feed.watch("", 60)
    first = await anext(stream)
    assert (len(first.models), len(first.accepted_products)) == (1, 0)
    await world.subscribe()
    second = await anext(stream)
    assert [(one.domain, one.product) for one in second.accepted_products] == [(CLAIMS, MODEL)]
    await world.change(shared_with=[])
    third = await anext(stream)
    assert [(gone.domain, gone.product) for gone in third.removed_accepted_products] == [(CLAIMS, MODEL)]
    resumed = await anext(world.feed.watch(second.resume_token, 60))
    assert (resumed.reset, len(resumed.removed_accepted_products)) == (False, 1)
    assert not (await anext(world.feed.watch("", 60))).accepted_products
