"""Facts of endpoints as a resource: who sees them, how they are put and applied, and what form they have."""

from __future__ import annotations

from typing import Any

import pytest

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import page_of
from tests.registry.test_registry_endpoints import CLAIMS, FACTS, NAME, PLATFORM, SALES, model, world_of


async def test_a_domain_sees_the_endpoints_that_are_open_to_it_and_of_their_domains_its_own(database: Database) -> None:
    world = await world_of(database)
    await world.put(domains=[CLAIMS, SALES])
    request = registry_pb2.ListEndpointsRequest()
    for reader, domains in ((CLAIMS, [CLAIMS]), (PLATFORM, [CLAIMS, SALES])):
        shown, _ = await world.endpoint_facts.page(reader, page_of(request))
        assert [list(found.domains) for found in shown] == [domains]
    assert (await world.endpoint_facts.page("domains/other", page_of(request)))[0] == []
    with pytest.raises(MeshError, match="NOT_FOUND"):
        await world.endpoint_facts.get("domains/other", NAME)


async def test_facts_are_put_with_the_present_etag_or_none(database: Database) -> None:
    world = await world_of(database)
    first = await world.put()
    second = await world.put(region="us", etag=first.etag)
    assert second.create_time == first.create_time
    for change in (world.put(etag=first.etag), world.endpoint_facts.delete(NAME, first.etag)):
        with pytest.raises(MeshError, match="ETAG_MISMATCH"):
            await change
    await world.endpoint_facts.delete(NAME, second.etag)
    actions = [change.action for change in world.recorded.changes]
    assert actions == ["endpointFacts.put", "endpointFacts.put", "endpointFacts.delete"]
    assert [bool(change.after_digest) for change in world.recorded.changes] == [True, True, False]


async def test_an_apply_declares_endpoints_before_its_models_and_only_for_the_platform(database: Database) -> None:
    world = await world_of(database)
    request = registry_pb2.ApplyModelsRequest(parent=PLATFORM, endpoints=[FACTS], models=[model(region="eu")])
    request.models[0].name = "domains/claims/models/m"
    for request.dry_run in (True, False):
        changes = await world.registry.apply(PLATFORM, request)
        assert [change.resource for change in changes] == ["domains/claims/models/m", NAME]
    assert [change.action for change in await world.registry.apply(PLATFORM, request)] == [4, 4]
    request.parent = CLAIMS
    with pytest.raises(MeshError, match="endpoints"):
        await world.registry.apply(CLAIMS, request)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "adapters/openai"}, "endpoint.name"),
        ({"operator": ""}, "endpoint.operator"),
        ({"region": "E U"}, "endpoint.region"),
        ({"upstream_models": ["a*b"]}, "endpoint.upstream_models[0]"),
        ({"domains": ["claims"]}, "endpoint.domains[0]"),
        ({"price_floor": registry_pb2.PriceFloor(currency="usd")}, "endpoint.price_floor.currency"),
        (
            {"price_floor": registry_pb2.PriceFloor(currency="USD", input_nanos_per_million=-1)},
            "endpoint.price_floor.input_nanos_per_million",
        ),
        ({"token_floor": registry_pb2.TokenFloor(image_tokens=-1)}, "endpoint.token_floor.image_tokens"),
        ({"token_floor": registry_pb2.TokenFloor(hidden_output=["tools"])}, "endpoint.token_floor.hidden_output[0]"),
    ],
)
async def test_facts_of_wrong_form_are_refused_with_their_field(database: Database, fields: dict[str, Any], field: str) -> None:
    world = await world_of(database)
    with pytest.raises(MeshError) as failure:
        await world.put(**fields)
    assert (failure.value.reason_name, failure.value.field) == ("INVALID_FIELD", field)
