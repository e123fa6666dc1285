"""An offer serves a domain once that accepts it: over SQLite and PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.subscriptions import MOST_ENTRIES
from llm_mesh_runtime.database import Database, micros
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import page_of
from tests.registry.consent import (
    CHEAP,
    CLAIMS,
    DEAR,
    MODEL,
    OTHER,
    PLATFORM,
    PUBLISHER,
    ROUTE,
    STATES,
    SUBSCRIPTION,
    World,
    model,
    names,
    price,
    put_routes,
    route,
    world_of,
)


@pytest.fixture
async def world(database: Database, monkeypatch: pytest.MonkeyPatch) -> World:
    return await world_of(database, monkeypatch)


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


async def test_each_acceptance_by_a_subscription_to_a_publisher_is_recorded_for_the_subscriber(world: World) -> None:
    await world.publish("first")
    await world.subscribe(publisher=PUBLISHER)
    recorded = world.recorded.changes
    [began] = [change for change in recorded if change.detail == f"accepts {PUBLISHER}/models/first"]
    assert (began.resource, began.action, began.domain) == (SUBSCRIPTION, "subscriptions.create", CLAIMS)
    await world.publish("second", 0)
    await world.registry.create_price(f"{PUBLISHER}/models/second", price(7))
    await put_routes(world, route())
    late = price(9)
    await world.publish("third", 0)
    late.valid_from.FromDatetime(datetime.now(UTC) + timedelta(seconds=0.2))
    await world.registry.create_price(f"{PUBLISHER}/models/third", late)
    while f"{PUBLISHER}/models/third" not in await world.served():
        await world.offers.accept_new()
    products = [f"{PUBLISHER}/models/second", ROUTE, f"{PUBLISHER}/models/third"]
    automatic = [change for change in recorded if change.action == "subscriptions.accept"]
    assert [change.detail for change in automatic] == [f"accepts {product}" for product in products]
    for change in automatic:
        assert (change.resource, change.domain, change.principal) == (SUBSCRIPTION, CLAIMS, "services/registry")
        assert (change.key, change.request_id, change.reason) == ("", "", "")
        assert (change.before_digest, len(change.after_digest)) == (b"", 32)


async def test_an_acceptance_that_cannot_be_recorded_is_made_later(world: World) -> None:
    await world.subscribe(publisher=PUBLISHER)
    world.recorded.away = True
    await world.publish("m")  # of changes that are not recorded yet there is one
    with pytest.raises(MeshError, match="AUDIT_UNAVAILABLE"):
        await put_routes(world, route())
    assert list(await world.served()) == [MODEL]
    world.recorded.away = False
    await put_routes(world, route())
    assert sorted(await world.served()) == [MODEL, ROUTE]


async def test_what_the_platform_shares_says_so_in_its_records(world: World) -> None:
    await world.publish("m", domain="domains/shared")
    assert {change.detail for change in world.recorded.changes} == {"serves all domains, by the platform's rule"}


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


async def test_a_domain_has_no_more_subscriptions_than_its_quota(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await world_of(database, monkeypatch, most=1)
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


async def test_an_apply_takes_so_many_subscriptions_and_no_more(world: World) -> None:
    many = [registry_pb2.Subscription(name=f"{CLAIMS}/subscriptions/s{number}") for number in range(MOST_ENTRIES + 1)]
    with pytest.raises(MeshError, match="at most 500 in one call"):
        await world.consent.apply(registry_pb2.ApplySubscriptionsRequest(parent=CLAIMS, subscriptions=many))


async def test_an_apply_of_subscriptions_is_idempotent_atomic_and_dry_when_asked(world: World) -> None:
    await world.publish()
    wanted = [
        registry_pb2.Subscription(name=SUBSCRIPTION, product=MODEL, alias="mine"),
        registry_pb2.Subscription(name=f"{CLAIMS}/subscriptions/whole", publisher=PUBLISHER),
    ]
    create, update, none = (getattr(resources_pb2, f"CHANGE_ACTION_{kind}") for kind in ("CREATE", "UPDATE", "NONE"))

    async def applied(*, dry_run: bool = False) -> list[resources_pb2.Change]:
        return list(await world.consent.apply(registry_pb2.ApplySubscriptionsRequest(parent=CLAIMS, subscriptions=wanted, dry_run=dry_run)))

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
        await world.consent.apply(registry_pb2.ApplySubscriptionsRequest(parent=OTHER, subscriptions=wanted, dry_run=False))


async def test_shares_from_before_consent_are_offered_and_told_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await world_of(database, monkeypatch)
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
