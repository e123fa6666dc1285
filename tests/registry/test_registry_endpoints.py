"""Facts of an endpoint are its operator's: a model of a domain narrows them, when it is written and whenever it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.endpoint_facts import EndpointFacts
from llm_mesh_registry.domain.feed import Feed
from llm_mesh_registry.domain.registry import Registry
from llm_mesh_registry.domain.subscriptions import Consent
from llm_mesh_registry.settings import Settings
from llm_mesh_registry.store.endpoints import SqlEndpoints
from llm_mesh_registry.store.offers import SqlOffers
from llm_mesh_registry.store.products import SqlProducts
from llm_mesh_registry.store.subscriptions import SqlSubscriptions
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.databases import migrated
from tests.recorded import Recorded, outbox_of

PLATFORM, CLAIMS, SALES = "domains/platform", "domains/claims", "domains/sales"
NAME = "adapters/openai/endpoints/box"
FACTS = registry_pb2.Endpoint(
    name=NAME,
    operator=PLATFORM,
    region="eu",
    data_classes=["public", "internal", "confidential"],
    credentials=["team"],
    upstream_models=["up", "big-*"],
    price_floor=registry_pb2.PriceFloor(currency="USD", input_nanos_per_million=10, output_nanos_per_million=20),
    domains=[CLAIMS],
)


@dataclass
class World:
    """A registry over one database, and what policy recorded of it."""

    registry: Registry
    endpoint_facts: EndpointFacts
    feed: Feed
    recorded: Recorded

    async def create(self, *, domain: str = CLAIMS, model_id: str = "m", **fields: Any) -> registry_pb2.Model:
        return await self.registry.create_model(domain, domain, model_id, model(**fields))

    async def put(self, **fields: Any) -> registry_pb2.Endpoint:
        wanted = registry_pb2.Endpoint()
        wanted.CopyFrom(FACTS)
        for name, value in fields.items():
            wanted.ClearField(name)
            wanted.MergeFrom(registry_pb2.Endpoint(**{name: value}))
        return await self.endpoint_facts.put(wanted)

    async def watched(self) -> dict[str, registry_pb2.Model]:
        first = await anext(self.feed.watch("", 60))
        return {found.name: found for found in first.models}


async def world_of(database: Database) -> World:
    await migrated(database, "llm_mesh_registry.store.migrations")
    recorded = Recorded()
    outbox = outbox_of(database, recorded)
    store = SqlProducts(database, outbox, Settings().quotas)
    feed = Feed(store)
    await feed.refresh()
    return World(
        Registry(store, feed, SystemClock()), EndpointFacts(SqlEndpoints(database, outbox, Settings().quotas), feed), feed, recorded
    )


def price(input_nanos: int = 10, output_nanos: int = 20, currency: str = "USD", **fields: Any) -> registry_pb2.Price:
    rates: dict[str, Any] = {"input_nanos_per_million": input_nanos, "output_nanos_per_million": output_nanos}
    return registry_pb2.Price(currency=currency, source="a test", **(rates | fields))


def model(alias: str = "m", **fields: Any) -> registry_pb2.Model:
    wanted: dict[str, Any] = {
        "adapter": "openai",
        "endpoint": "box",
        "upstream_model": "up",
        "capabilities": ["generate"],
        "price": price(),
    } | fields
    return registry_pb2.Model(alias=alias, **{name: value for name, value in wanted.items() if value is not None})


def lowered(price: Any, rate: str) -> Any:
    """The same with one rate one lower."""
    copy = type(price)()
    copy.CopyFrom(price)
    setattr(copy, f"{rate}_nanos_per_million", charged(price, rate) - 1)
    return copy


def charged(price: Any, rate: str) -> int:
    """A rate as the contract words it: an unset one is that of input or output."""
    field = f"{rate}_nanos_per_million"
    if rate.startswith("cache_write_") and not price.HasField(field):
        return charged(price, "cache_write")
    if rate not in {"input", "output", *UNITS} and not price.HasField(field):
        field = f"{'output' if rate in {'reasoning', 'audio_output', 'image_output'} else 'input'}_nanos_per_million"
    return int(getattr(price, field))


EVERY_RATE = (
    "input", "output", "cached_input", "cache_write", "reasoning", "audio_input", "audio_output", "image_input", "image_output",
    "cache_write_5m", "cache_write_30m", "cache_write_1h", "cache_write_12h",
)  # fmt: skip
UNITS = ("request", "audio_input_second", "audio_output_second", "character", "search_unit")
ESCALATIONS: list[tuple[dict[str, Any], str]] = [
    ({"region": "us"}, "region"),
    ({"data_classes": ["public", "restricted"]}, "data_classes"),
    ({"zero_retention": True}, "zero_retention"),
    ({"credential": "operators-own"}, "credential"),
    ({"free": True, "price": None}, "free"),
    ({"upstream_model": "other"}, "upstream_model"),
    ({"upstream_model": "big"}, "upstream_model"),
    ({"price": price(9)}, "price"),
    ({"price": price(10, 19)}, "price"),
    ({"price": price(0, 0)}, "price"),
    ({"price": price(currency="EUR")}, "price"),
    *(({"price": lowered(price(), rate)}, "price") for rate in EVERY_RATE),
    ({"price": price(50, 50, cached_input_nanos_per_million=9)}, "price"),
]


@pytest.mark.parametrize(("fields", "field"), ESCALATIONS)
async def test_a_model_that_claims_more_than_its_endpoint_is_refused_with_the_field(
    database: Database, fields: dict[str, Any], field: str
) -> None:
    world = await world_of(database)
    await world.put()
    with pytest.raises(MeshError) as failure:
        await world.create(**fields)
    assert (failure.value.reason_name, failure.value.field) == ("ESCALATION_DENIED", f"model.{field}")
    with pytest.raises(MeshError, match="NOT_FOUND"):
        await world.registry.model("domains/claims/models/m")
    assert (world.recorded.changes[-1].refused, world.recorded.changes[-1].resource) == (True, "domains/claims/models/m")
    request = registry_pb2.ApplyModelsRequest(parent=CLAIMS, models=[model(**fields)])
    request.models[0].name = "domains/claims/models/m"
    for request.dry_run in (True, False):
        with pytest.raises(MeshError, match="ESCALATION_DENIED") as failure:
            await world.registry.apply(CLAIMS, request)
        assert failure.value.field == f"models[0].{field}"


@pytest.mark.parametrize(
    "fields",
    [{"region": "eu"}, {"data_classes": ["confidential"]}, {"credential": "team"}, {"upstream_model": "big-one"}, {"price": price(99, 99)}],
)
async def test_a_model_may_narrow_the_facts(database: Database, fields: dict[str, Any]) -> None:
    world = await world_of(database)
    await world.put()
    created = await world.create(**fields)
    assert not created.conflicts
    assert created.region == "eu"
    assert list(created.data_classes) == fields.get("data_classes", ["public", "internal", "confidential"])


@pytest.mark.parametrize(
    "fields",
    [
        {"region": "eu"},
        {"data_classes": ["confidential"]},
        {"zero_retention": True},
        {"credential": "team"},
        {"free": True},
        {"price": price(99, 99)},
    ],
)
async def test_nothing_can_be_claimed_of_an_endpoint_without_facts(database: Database, fields: dict[str, Any]) -> None:
    world = await world_of(database)
    with pytest.raises(MeshError, match="ask a platform administrator to declare the endpoint") as failure:
        await world.create(**{"price": None, **fields})
    assert (failure.value.reason_name, failure.value.field) == ("ESCALATION_DENIED", f"model.{next(iter(fields))}")
    assert not (await world.create(price=None)).conflicts


async def test_without_a_declared_least_price_the_operators_own_models_set_it(database: Database) -> None:
    world = await world_of(database)
    await world.put(price_floor=None)
    with pytest.raises(MeshError, match="no least price") as failure:
        await world.create(price=price(99, 99))
    assert (failure.value.reason_name, failure.value.field) == ("ESCALATION_DENIED", "model.price")
    for name, figures in (("dear", (50, 60)), ("cheap", (10, 40))):
        await world.registry.create_model(PLATFORM, "domains/shared", name, model(name, price=price(*figures)))
    for below in (price(9, 40), price(10, 39), price(0, 0), price(10, 40, "EUR")):
        with pytest.raises(MeshError, match="ESCALATION_DENIED"):
            await world.create(price=below)
    created = await world.create(price=price(10, 40))
    assert not created.conflicts
    shared = await world.registry.model("domains/shared/models/cheap")
    await world.registry.create_price(shared.name, price(5, 5))
    assert not (await world.registry.model(created.name)).conflicts
    with pytest.raises(MeshError, match="ESCALATION_DENIED"):
        await world.create(model_id="other", alias="other", upstream_model="big-other", price=price(99, 99))


@pytest.mark.parametrize("rate", [*EVERY_RATE, *UNITS])
async def test_each_rate_is_at_least_what_the_operator_declares_or_charges(database: Database, rate: str) -> None:
    world, field = await world_of(database), f"{rate}_nanos_per_million"
    units: dict[str, Any] = {f"{unit}_nanos_per_million": 5 for unit in UNITS}
    own = price(10, 20, **units)
    await world.registry.create_model(PLATFORM, "domains/shared", "own", model("own", price=own))
    floor = registry_pb2.PriceFloor(currency="USD", input_nanos_per_million=10, output_nanos_per_million=20, **units)
    for declared in (floor, None):
        await world.put(price_floor=declared)
        with pytest.raises(MeshError, match=field) as failure:
            await world.create(price=lowered(own, rate))
        assert (failure.value.reason_name, failure.value.field) == ("ESCALATION_DENIED", "model.price")
    await world.put(price_floor=lowered(floor, rate))
    assert not (await world.create(price=lowered(own, rate))).conflicts


BOUNDS: dict[str, Any] = {"image_tokens": 100, "audio_tokens": 200, "file_tokens": 300, "audio_seconds": 30, "context_window": 4000}
NO_BOUND = frozenset({
    "name", "alias", "display_name", "adapter", "endpoint", "upstream_model", "dialect", "region", "data_classes", "service_level",
    "lifecycle", "retire_time", "shared_with", "zero_retention", "credential", "etag", "create_time", "update_time", "conflicts",
})  # fmt: skip
"""Fields by which nothing is reserved, bounded or estimated: who and where a model is, and how long it is in use."""
SENT = frozenset({"max_output_tokens"})
"""What the provider is told, so that it holds whoever states it."""


def test_each_field_by_which_requests_are_reserved_belongs_to_the_operator() -> None:
    by_tokens, by_price, by_capabilities = set(BOUNDS), {"price", "free"}, {"capabilities"}
    fields = {field.name for field in registry_pb2.Model.DESCRIPTOR.fields}
    assert fields == NO_BOUND | SENT | by_tokens | by_price | by_capabilities
    floor = registry_pb2.TokenFloor.DESCRIPTOR.fields
    assert {field.name for field in floor} == by_tokens | {"hidden_output"}
    rates = {field.name for field in registry_pb2.Price.DESCRIPTOR.fields if "nanos" in field.name}
    assert rates == {field.name for field in registry_pb2.PriceFloor.DESCRIPTOR.fields if "nanos" in field.name}
    assert rates == {f"{rate}_nanos_per_million" for rate in (*EVERY_RATE, *UNITS)}


@pytest.mark.parametrize("bound", BOUNDS)
async def test_a_bound_is_at_least_what_the_operator_declares_or_its_own_models_have(database: Database, bound: str) -> None:
    world = await world_of(database)
    own = await world.registry.create_model(PLATFORM, "domains/shared", "own", model("own", **BOUNDS))
    declared = registry_pb2.TokenFloor(**BOUNDS)
    for floor in (declared, None):
        await world.put(token_floor=floor)
        with pytest.raises(MeshError, match=f"{bound} of models of up .* at least {BOUNDS[bound]}") as failure:
            await world.create(**BOUNDS | {bound: BOUNDS[bound] - 1})
        assert (failure.value.reason_name, failure.value.field) == ("ESCALATION_DENIED", f"model.{bound}")
    for number, figures in enumerate((BOUNDS, BOUNDS | {bound: BOUNDS[bound] + 1}, BOUNDS | {bound: 0})):
        created = await world.create(model_id=f"m{number}", alias=f"m{number}", **figures)
        assert (getattr(created, bound), list(created.conflicts)) == (figures[bound], [])
    await world.put(token_floor=registry_pb2.TokenFloor(**BOUNDS | {bound: BOUNDS[bound] + 1}))
    found = (await world.watched())["domains/claims/models/m0"]
    assert (getattr(found, bound), list(found.conflicts)) == (BOUNDS[bound] + 1, [bound])
    assert getattr((await world.watched())[own.name], bound) == BOUNDS[bound]


@pytest.mark.parametrize("capability", ["reasoning", "audio_output"])
async def test_a_model_hides_output_where_the_operator_says_so(database: Database, capability: str) -> None:
    world = await world_of(database)
    for number, abilities in enumerate((["generate", capability], ["generate", "tools", capability])):
        await world.registry.create_model(PLATFORM, "domains/shared", f"own{number}", model(f"own{number}", capabilities=abilities))
    await world.put()
    assert list((await world.create()).capabilities) == ["generate", capability]
    await world.put(token_floor=registry_pb2.TokenFloor())
    assert list((await world.watched())["domains/claims/models/m"].capabilities) == ["generate"]
    await world.put(token_floor=registry_pb2.TokenFloor(hidden_output=[capability]))
    assert list((await world.watched())["domains/claims/models/m"].capabilities) == ["generate", capability]


async def test_a_model_that_may_be_free_has_the_bounds_that_it_names(database: Database) -> None:
    world = await world_of(database)
    await world.put(free_allowed=True, token_floor=registry_pb2.TokenFloor(**BOUNDS, hidden_output=["reasoning"]))
    created = await world.create(image_tokens=1, free=True, price=None)
    assert (created.image_tokens, list(created.capabilities), list(created.conflicts)) == (1, ["generate"], [])


async def test_an_endpoint_serves_the_domains_that_it_is_open_to(database: Database) -> None:
    world = await world_of(database)
    await world.put()
    await world.create()
    with pytest.raises(MeshError, match="ESCALATION_DENIED") as failure:
        await world.create(domain=SALES)
    assert failure.value.field == "model.endpoint"


@pytest.mark.parametrize(("fields", "field"), ESCALATIONS)
async def test_an_update_or_a_new_price_cannot_escalate_either(database: Database, fields: dict[str, Any], field: str) -> None:
    world = await world_of(database)
    await world.put()
    created = await world.create()
    if field == "price":
        with pytest.raises(MeshError, match="ESCALATION_DENIED") as failure:
            await world.registry.create_price(created.name, fields["price"])
        assert failure.value.field == "price"
        return
    wanted = registry_pb2.Model(name=created.name, etag=created.etag, **{field: fields[field]})
    with pytest.raises(MeshError, match="ESCALATION_DENIED") as failure:
        await world.registry.update_model(CLAIMS, wanted, FieldMask(paths=[field]))
    assert failure.value.field == f"model.{field}"


async def test_a_free_model_cannot_be_pointed_at_an_endpoint_that_is_not_free(database: Database) -> None:
    world = await world_of(database)
    await world.put()
    await world.endpoint_facts.put(registry_pb2.Endpoint(name="adapters/openai/endpoints/local", operator=PLATFORM, free_allowed=True))
    created = await world.create(endpoint="local", free=True, price=None)
    assert created.free
    wanted = registry_pb2.Model(name=created.name, etag=created.etag, endpoint="box")
    with pytest.raises(MeshError, match="ESCALATION_DENIED") as failure:
        await world.registry.update_model(CLAIMS, wanted, FieldMask(paths=["endpoint"]))
    assert failure.value.field == "model.free"


async def test_an_endpoint_that_becomes_stricter_binds_the_models_that_exist(database: Database) -> None:
    world = await world_of(database)
    await world.put(zero_retention=True)
    created = await world.create(region="eu", zero_retention=True, data_classes=["internal", "confidential"], price=price(10, 20))
    await world.put(region="us", data_classes=["public", "internal"])
    for found in (await world.registry.model(created.name), (await world.watched())[created.name]):
        assert (found.region, found.zero_retention, list(found.data_classes)) == ("us", False, ["internal"])
        assert list(found.conflicts) == ["data_classes", "region", "zero_retention"]
        assert found.price == created.price
    await world.put(price_floor=registry_pb2.PriceFloor(currency="USD", input_nanos_per_million=11))
    assert not (await world.registry.model(created.name)).HasField("price")
    await world.put(domains=[SALES])
    assert (await world.watched())[created.name].lifecycle == registry_pb2.LIFECYCLE_RETIRED
    await world.put(region="eu", zero_retention=True)
    assert not (await world.registry.model(created.name)).conflicts


async def test_a_product_that_another_domain_accepted_is_narrowed_too(database: Database) -> None:
    world = await world_of(database)
    await world.put(zero_retention=True)
    created = await world.create(shared_with=[SALES])
    offers = SqlOffers(database, outbox_of(database))
    consent = Consent(SqlSubscriptions(database, outbox_of(database), 10), offers, world.feed)
    await consent.create(SALES, "s", registry_pb2.Subscription(product=created.name))
    await world.put(region="us")
    [accepted] = (await anext(world.feed.watch("", 60))).accepted_products
    asked = await offers.accepted(SALES, created.name)
    assert asked is not None
    for served in (accepted.model, asked.model):
        assert (served.region, served.zero_retention, list(served.conflicts)) == ("us", False, ["region", "zero_retention"])


async def test_without_its_facts_an_endpoints_models_lose_what_they_claim(database: Database) -> None:
    world = await world_of(database)
    await world.put()
    created = await world.create(region="eu", credential="team")
    await world.endpoint_facts.delete(NAME, "")
    found = await world.registry.model(created.name)
    assert (found.region, list(found.conflicts)) == ("", ["credential", "price", "region"])
    assert found.lifecycle == registry_pb2.LIFECYCLE_RETIRED


async def test_an_update_of_another_field_keeps_what_the_domain_wrote(database: Database) -> None:
    world = await world_of(database)
    await world.put()
    created = await world.create()
    wanted = registry_pb2.Model(name=created.name, etag=created.etag, display_name="M")
    await world.registry.update_model(CLAIMS, wanted, FieldMask(paths=["display_name"]))
    await world.put(region="us")
    assert ((await world.registry.model(created.name)).region, list((await world.registry.model(created.name)).conflicts)) == ("us", [])


async def test_the_operators_own_models_keep_their_word_and_inherit_the_rest(database: Database) -> None:
    world = await world_of(database)
    await world.put()
    own = await world.registry.create_model(PLATFORM, "domains/shared", "m", model(region="us", free=True, price=None))
    assert (own.region, own.free, list(own.data_classes)) == ("us", True, ["public", "internal", "confidential"])
