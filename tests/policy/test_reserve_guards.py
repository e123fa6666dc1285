"""What `Reserve` makes sure of again, whatever the plan says: each bound of the admission, and the price of that very model."""

from __future__ import annotations

import pytest

from llm_mesh.policy.v1 import admission_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.policy.ledger_world import FREE_MODEL, MODEL, PRICE, World, attempt


@pytest.fixture
async def world() -> World:
    return await World(Database("sqlite://", name="policy")).ready()


async def reason(world: World, plan: dict[str, str] | None = None, **bounds: object) -> str:
    with pytest.raises(MeshError) as refused:
        await world.reserve(attempt(**(plan or {})), admission=world.admission(**bounds))  # type: ignore[arg-type]  # of the admission
    return refused.value.reason_name


def model(world: World, **fields: object) -> None:
    changed = registry_pb2.Model(**fields)  # type: ignore[arg-type]  # the fields of a model
    replaced = registry_pb2.Model()
    replaced.CopyFrom(world.registry.models[MODEL])
    replaced.MergeFrom(changed)
    world.registry.models[MODEL] = replaced


def patterns(*lists: list[str]) -> list[admission_pb2.ModelPatterns]:
    return [admission_pb2.ModelPatterns(patterns=each) for each in lists]


async def test_only_a_price_of_that_very_model_counts(world: World) -> None:
    cheaper = registry_pb2.Price(name=f"{FREE_MODEL}/prices/1", currency="USD", input_nanos_per_million=1)
    world.registry.prices[cheaper.name] = cheaper
    assert await reason(world, {"price": cheaper.name}) == "PRICE_UNKNOWN"
    longer = registry_pb2.Price(name=f"{MODEL}-2/prices/1", currency="USD", input_nanos_per_million=1)
    world.registry.prices[longer.name] = longer
    assert await reason(world, {"price": longer.name}) == "PRICE_UNKNOWN"


async def test_a_price_in_another_currency_does_not_count(world: World) -> None:
    world.registry.prices[PRICE] = registry_pb2.Price(name=PRICE, currency="EUR", input_nanos_per_million=1)
    assert await reason(world) == "PRICE_UNKNOWN"


async def test_the_region_is_the_registrys_and_admitted(world: World) -> None:
    model(world, region="us")
    assert await reason(world, regions=["eu"]) == "PLAN_NOT_ADMITTED"
    assert await reason(world, {"region": "eu"}, regions=["eu"]) == "PLAN_NOT_ADMITTED"
    assert await reason(world, {"region": "eu"}) == "PLAN_NOT_ADMITTED"
    await world.reserve(attempt(region="us"), admission=world.admission(regions=["us"]))


@pytest.mark.parametrize(
    "bounds",
    [
        {"data_class": "restricted"},
        {"further_data_classes": ["health"]},
        {"zero_retention": True},
        {"allowed_adapters": ["anthropic"]},
        {"allowed_endpoints": ["openai/ollama"]},
        {"allowed_endpoints": ["-"]},
        {"regions": ["-"]},
        {"allowed_models": [FREE_MODEL]},
        {"allowed_models": ["-"]},
        {"denied_models": [MODEL]},
        {"denied_models": ["domains/*"]},
        {"denied_models": ["upstream:openai/openai/big-1"]},
        {"denied_models": ["upstream:openai/openai/*"]},
        {"callable_models": patterns(["small"])},
        {"callable_models": patterns(["big"], ["small"])},
    ],
)
async def test_each_bound_of_the_admission_holds(world: World, bounds: dict[str, object]) -> None:
    assert await reason(world, None, **bounds) == "PLAN_NOT_ADMITTED"


@pytest.mark.parametrize(
    "bounds",
    [
        {"further_data_classes": ["public"]},
        {"allowed_endpoints": ["openai/openai"]},
        {"allowed_models": ["domains/*"]},
        {"denied_models": ["upstream:openai/openai/big-2"]},
        {"callable_models": patterns(["big"], [MODEL], ["bi*"], ["domains/*"], ["x", "big"])},
    ],
)
async def test_within_its_bounds_a_plan_is_reserved(world: World, bounds: dict[str, object]) -> None:
    await world.reserve(admission=world.admission(**bounds))  # type: ignore[arg-type]  # of the admission
