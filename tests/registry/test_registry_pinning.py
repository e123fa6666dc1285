"""What is accepted serves as it was accepted, until the subscriber accepts something else."""

from __future__ import annotations

from typing import Any

import pytest

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.terms import proposed_fields, served_model
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.registry.consent import (
    CHEAP,
    DEAR,
    MODEL,
    OTHER,
    ROUTE,
    SUBSCRIPTION,
    World,
    model,
    price,
    put_routes,
    route,
    world_of,
)


@pytest.fixture
async def world(database: Database, monkeypatch: pytest.MonkeyPatch) -> World:
    return await world_of(database, monkeypatch)


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
        ("image_tokens", 10**8),
        ("audio_tokens", 10**8),
        ("file_tokens", 10**8),
        ("context_window", 10**8),
        ("capabilities", ["reasoning"]),
        ("capabilities", ["audio_output"]),
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
    await world.publish(context_window=100, capabilities=["reasoning"])
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
