"""Models and prices are kept alike in memory, in SQLite and in PostgreSQL, and prices never change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.feed import Feed
from llm_mesh_registry.domain.registry import Registry
from llm_mesh_registry.settings import Settings
from llm_mesh_registry.store.endpoints import SqlEndpoints
from llm_mesh_registry.store.products import SqlProducts
from llm_mesh_registry.store.tables import METADATA
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.database import Database, drift
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import page_of
from tests.databases import migrated
from tests.recorded import outbox_of

PLATFORM, CLAIMS = "domains/platform", "domains/claims"


async def registry(database: Database) -> tuple[Registry, Feed]:
    await migrated(database, "llm_mesh_registry.store.migrations")
    outbox, quotas = outbox_of(database), Settings().quotas
    store = SqlProducts(database, outbox, quotas)
    floor = registry_pb2.PriceFloor(currency="USD")
    await SqlEndpoints(database, outbox, quotas).put(
        registry_pb2.Endpoint(name="adapters/openai/endpoints/openai", operator=PLATFORM, price_floor=floor)
    )
    feed = Feed(store)
    await feed.refresh()
    return Registry(store, feed, SystemClock()), feed


def model(alias: str = "m", name: str = "", **fields: Any) -> registry_pb2.Model:
    wanted = {"adapter": "openai", "endpoint": "openai", "upstream_model": "up", "capabilities": ["generate"]} | fields
    return registry_pb2.Model(name=name, alias=alias, **wanted)


def price(nanos: int = 1, **fields: Any) -> registry_pb2.Price:
    return registry_pb2.Price(currency="USD", input_nanos_per_million=nanos, source="a test", **fields)


def stamp(delta: timedelta) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(datetime.now(UTC) + delta)
    return made


async def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    await registry(database)
    assert await drift(database, METADATA) == []


async def test_a_model_is_created_with_its_first_price_and_read_back(database: Database) -> None:
    products, _ = await registry(database)
    created = await products.create_model(CLAIMS, CLAIMS, "m", model(price=price(7)))
    assert created == await products.model("domains/claims/models/m")
    assert created.price.name == "domains/claims/models/m/prices/1"
    assert created.price == await products.price(created.price.name)


async def test_an_alias_is_taken_once_per_domain(database: Database) -> None:
    products, _ = await registry(database)
    await products.create_model(CLAIMS, CLAIMS, "m", model())
    with pytest.raises(MeshError, match="ALREADY_EXISTS"):
        await products.create_model(CLAIMS, CLAIMS, "m", model("n"))
    with pytest.raises(MeshError, match="ALIAS_TAKEN"):
        await products.create_model(CLAIMS, CLAIMS, "n", model())
    await products.create_model(PLATFORM, "domains/shared", "m", model())


async def test_only_the_platform_declares_shared_models_free(database: Database) -> None:
    products, _ = await registry(database)
    with pytest.raises(MeshError) as failure:
        await products.create_model("domains/shared", "domains/shared", "m", model(free=True))
    assert (failure.value.reason_name, failure.value.field) == ("FREE_DENIED", "model.free")
    assert (await products.create_model(PLATFORM, "domains/shared", "m", model(free=True))).free


async def test_a_model_of_a_domain_is_free_only_where_its_endpoint_allows_it_whoever_says_so(database: Database) -> None:
    products, _ = await registry(database)
    for author in (CLAIMS, PLATFORM):
        with pytest.raises(MeshError) as failure:
            await products.create_model(author, CLAIMS, "m", model(free=True))
        assert (failure.value.reason_name, failure.value.field) == ("ESCALATION_DENIED", "model.free")


async def test_an_update_changes_the_masked_fields_and_needs_the_present_etag(database: Database) -> None:
    products, _ = await registry(database)
    created = await products.create_model(CLAIMS, CLAIMS, "m", model(price=price()))
    wanted = registry_pb2.Model(name=created.name, etag=created.etag, display_name="M", alias="ignored")
    updated = await products.update_model(CLAIMS, wanted, FieldMask(paths=["display_name"]))
    assert (updated.display_name, updated.alias, updated.price) == ("M", "m", created.price)
    with pytest.raises(MeshError, match="ETAG_MISMATCH"):
        await products.update_model(CLAIMS, wanted, FieldMask(paths=["display_name"]))
    with pytest.raises(MeshError, match="update_mask"):
        await products.update_model(CLAIMS, wanted, FieldMask(paths=["price"]))


async def test_a_deprecated_model_has_a_retire_time_in_the_future(database: Database) -> None:
    products, _ = await registry(database)
    created = await products.create_model(CLAIMS, CLAIMS, "m", model())
    with pytest.raises(MeshError, match="retire_time"):
        await products.deprecate_model(created.name, stamp(-timedelta(seconds=1)))
    deprecated = await products.deprecate_model(created.name, stamp(timedelta(days=1)))
    assert deprecated.lifecycle == registry_pb2.LIFECYCLE_DEPRECATED


async def test_a_later_price_replaces_none_and_holds_from_its_begin(database: Database) -> None:
    products, _ = await registry(database)
    created = await products.create_model(CLAIMS, CLAIMS, "m", model(price=price(1)))
    second = await products.create_price(created.name, price(2))
    third = await products.create_price(created.name, price(3, valid_from=stamp(timedelta(days=1))))
    assert (await products.model(created.name)).price == second
    assert await products.price(created.price.name) == created.price
    numbers = [found.name for found in (await products.prices(created.name, page_of(registry_pb2.ListPricesRequest())))[0]]
    assert numbers == [third.name, second.name, created.price.name]


async def test_a_price_never_begins_in_the_past_or_before_another(database: Database) -> None:
    products, _ = await registry(database)
    created = await products.create_model(CLAIMS, CLAIMS, "m", model(price=price(1)))
    await products.create_price(created.name, price(2, valid_from=stamp(timedelta(days=2))))
    for begin in (timedelta(days=1), -timedelta(days=1)):
        with pytest.raises(MeshError, match="PRICE_ORDER"):
            await products.create_price(created.name, price(3, valid_from=stamp(begin)))


async def test_pages_of_prices_have_each_version_once(database: Database) -> None:
    products, _ = await registry(database)
    created = await products.create_model(CLAIMS, CLAIMS, "m", model(price=price(1)))
    for nanos in range(2, 13):
        await products.create_price(created.name, price(nanos))
    request, seen = registry_pb2.ListPricesRequest(parent=created.name, page_size=5), list[int]()
    while True:
        shown, request.page_token = await products.prices(request.parent, page_of(request, request.parent))
        seen += [found.input_nanos_per_million for found in shown]
        if not request.page_token:
            break
    assert seen == list(range(12, 0, -1))


async def test_an_apply_is_idempotent_atomic_and_dry_when_asked(database: Database) -> None:
    products, _ = await registry(database)
    request = registry_pb2.ApplyModelsRequest(
        parent=PLATFORM,
        models=[model("a", "domains/shared/models/a", price=price(1)), model("b", "domains/shared/models/b", free=True)],
        adapters=[registry_pb2.Adapter(name="adapters/openai", dialect="openai")],
        dry_run=True,
    )
    create, update, none = (getattr(resources_pb2, f"CHANGE_ACTION_{kind}") for kind in ("CREATE", "UPDATE", "NONE"))
    assert {change.action for change in await products.apply(PLATFORM, request)} == {create}
    request.dry_run = False
    assert {change.action for change in await products.apply(PLATFORM, request)} == {create}
    assert {change.action for change in await products.apply(PLATFORM, request)} == {none}
    request.models[0].price.input_nanos_per_million = 2
    changes = await products.apply(PLATFORM, request)
    assert [change.action for change in changes] == [update, none, none]
    assert [(field.path, field.before, field.after) for field in changes[0].fields] == [("price.input_nanos_per_million", "1", "2")]
    assert (await products.model("domains/shared/models/a")).price.name.endswith("/prices/2")
    request.models.append(model("a", "domains/shared/models/clash"))
    request.models[0].region = "eu"
    with pytest.raises(MeshError, match="ALIAS_TAKEN"):
        await products.apply(PLATFORM, request)
    assert not (await products.model("domains/shared/models/a")).region


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"alias": "a b"}, "model.alias"),
        ({"adapter": "Open AI"}, "model.adapter"),
        ({"upstream_model": ""}, "model.upstream_model"),
        ({"context_window": -1}, "model.context_window"),
        ({"capabilities": ["x", "x"]}, "model.capabilities"),
        ({"shared_with": ["claims"]}, "model.shared_with[0]"),
        ({"price": registry_pb2.Price(currency="usd", source="s")}, "model.price.currency"),
        ({"price": registry_pb2.Price(currency="USD")}, "model.price.source"),
        ({"price": registry_pb2.Price(currency="USD", source="s", input_nanos_per_million=-1)}, "model.price.input_nanos_per_million"),
    ],
)
async def test_a_model_of_wrong_form_is_refused_with_its_field(database: Database, fields: dict[str, Any], field: str) -> None:
    products, _ = await registry(database)
    with pytest.raises(MeshError) as failure:
        await products.create_model(CLAIMS, CLAIMS, "m", model(**fields))
    assert (failure.value.reason_name, failure.value.field) == ("INVALID_FIELD", field)
