"""Endpoints that platform administrators add: their form, who sees them, what adapters are told, and when they may go."""

from __future__ import annotations

from typing import Any

import pytest

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.endpoint_feed import EndpointFeed
from llm_mesh_registry.domain.endpoints import checked_endpoint
from llm_mesh_registry.domain.feed import Feed
from llm_mesh_registry.settings import Settings
from llm_mesh_registry.store.products import SqlProducts
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import page_of
from tests.recorded import Recorded, outbox_of
from tests.registry.test_registry_endpoints import CLAIMS, FACTS, NAME, PLATFORM, world_of

ORIGIN = "https://gpu.acme.example:8443"
VARIABLE: dict[str, Any] = {"origin": ORIGIN, "environment_variable": "LLM_MESH_ENDPOINT_CREDENTIAL_GPU"}


def connection(**fields: Any) -> registry_pb2.EndpointConnection:
    return registry_pb2.EndpointConnection(**({"base_url": f"{ORIGIN}/v1", "credential": VARIABLE} | fields))


def with_connection(**fields: Any) -> registry_pb2.Endpoint:
    return registry_pb2.Endpoint(name=NAME, operator=PLATFORM, connection=connection(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"credential": None},
        {"base_url": "http://10.1.2.3:8000/v1", "allowed_ranges": ["10.1.2.0/24"], "credential": None},
        {"base_url": "http://127.0.0.1:8000", "local": True, "credential": None},
        {"credential": {"origin": ORIGIN, "file": "/run/secrets/gpu"}, "proxy": "http://proxy:3128", "http2": True},
        {"client_certificate_file": "/run/secrets/mesh.pem", "client_key_file": "/run/secrets/mesh.key", "authorities_file": "/run/ca.pem"},
    ],
)
def test_a_connection_of_its_documented_form_is_taken(fields: dict[str, Any]) -> None:
    checked_endpoint(with_connection(**fields), "endpoint")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"base_url": ""}, "base_url"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"base_url": "http://gpu.acme.example/v1", "credential": None}, "base_url"),
        ({"base_url": "https://me:secret@gpu.acme.example", "credential": None}, "base_url"),
        ({"base_url": "https://x/?key=secret", "credential": None}, "base_url"),
        ({"base_url": "https://x:99999/", "credential": None}, "base_url"),
        ({"base_url": "https://[::1/", "credential": None}, "base_url"),
        ({"base_url": "https://x/a b", "credential": None}, "base_url"),
        ({"like": "../x"}, "like"),
        ({"allowed_ranges": ["10.1.2.3/24"]}, "allowed_ranges[0]"),
        ({"allowed_ranges": ["10.0.0.0/8"] * 17}, "allowed_ranges"),
        ({"base_url": "https://attacker.example/v1"}, "credential.origin"),
        ({"credential": {"environment_variable": "KEY"}}, "credential.origin"),
        ({"credential": {"origin": ORIGIN}}, "credential"),
        ({"credential": {"origin": ORIGIN, "environment_variable": "path/KEY"}}, "credential.environment_variable"),
        ({"credential": {"origin": ORIGIN, "file": "secrets/key"}}, "credential.file"),
        ({"credential": {"origin": ORIGIN, "file": "/run/secrets/../../etc/shadow"}}, "credential.file"),
        ({"proxy": "https://proxy"}, "proxy"),
        ({"proxy": "http://me:secret@proxy"}, "proxy"),
        ({"proxy": "http://proxy", "local": True}, "proxy"),
        ({"client_key_file": "/run/key.pem"}, "client_key_file"),
        ({"authorities_file": "ca.pem"}, "authorities_file"),
        ({"max_in_flight": -1}, "max_in_flight"),
    ],
)
def test_a_connection_of_another_form_is_refused_by_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(MeshError) as caught:
        checked_endpoint(with_connection(**fields), "endpoint")
    assert caught.value.field == f"endpoint.connection.{field}"
    assert "secret" not in caught.value.message


async def test_whoever_changes_the_address_names_the_credential_anew(database: Database) -> None:
    world = await world_of(database)
    await world.put(connection=connection())
    with pytest.raises(MeshError, match=r"credential\.origin: .* name the credential anew"):
        await world.put(connection=connection(base_url="https://elsewhere.example/v1"))
    masked = registry_pb2.ApplyModelsRequest(parent=PLATFORM, endpoints=[registry_pb2.Endpoint(name=NAME)])
    masked.endpoints[0].connection.base_url = "https://elsewhere.example/v1"
    masked.update_masks[NAME].paths.append("connection.base_url")
    with pytest.raises(MeshError, match="connection"):
        await world.registry.apply(PLATFORM, masked)
    elsewhere = {"origin": "https://elsewhere.example", "environment_variable": "LLM_MESH_ENDPOINT_CREDENTIAL_ELSEWHERE"}
    await world.put(connection=connection(base_url="https://elsewhere.example/v1", credential=elsewhere))


async def test_a_domain_sees_no_connection_and_each_change_is_recorded_without_a_credential(database: Database) -> None:
    world = await world_of(database)
    await world.put(connection=connection())
    assert not (await world.endpoint_facts.get(CLAIMS, NAME)).HasField("connection")
    shown, _ = await world.endpoint_facts.page(CLAIMS, page_of(registry_pb2.ListEndpointsRequest()))
    assert [each.HasField("connection") for each in shown] == [False]
    assert (await world.endpoint_facts.get(PLATFORM, NAME)).connection == connection()
    await world.endpoint_facts.delete(NAME, "")
    assert [change.action for change in world.recorded.changes] == ["endpointFacts.put", "endpointFacts.delete"]


async def test_an_endpoint_that_models_use_goes_only_by_force(database: Database) -> None:
    world = await world_of(database)
    await world.put(connection=connection())
    created = await world.create()
    with pytest.raises(MeshError, match="ENDPOINT_IN_USE") as caught:
        await world.endpoint_facts.delete(NAME, "")
    assert caught.value.metadata["models"] == created.name
    assert (await world.endpoint_facts.get(PLATFORM, NAME)).HasField("connection")
    await world.endpoint_facts.delete(NAME, "", force=True)


async def test_facts_alone_and_endpoints_of_retired_models_go_without_force(database: Database) -> None:
    world = await world_of(database)
    await world.put()
    await world.create()
    await world.endpoint_facts.delete(NAME, "")
    await world.put(connection=connection())
    held = await world.registry.model("domains/claims/models/m")
    changed = registry_pb2.Model(name=held.name, etag=held.etag, lifecycle=registry_pb2.LIFECYCLE_RETIRED)
    await world.registry.update_model(CLAIMS, changed, registry_pb2.UpdateModelRequest(update_mask={"paths": ["lifecycle"]}).update_mask)
    await world.endpoint_facts.delete(NAME, "")


async def test_watchers_of_an_adapter_are_told_all_its_endpoints_by_whichever_instance(database: Database) -> None:
    world = await world_of(database)
    feed = EndpointFeed()
    other = Feed(SqlProducts(database, outbox_of(database, Recorded()), Settings().quotas), feed)
    await other.refresh()
    watch = aiter(feed.watch("openai", 60))
    assert list((await anext(watch)).endpoints) == []
    await world.put(connection=connection())
    await world.endpoint_facts.put(registry_pb2.Endpoint(name="adapters/other/endpoints/x", operator=PLATFORM, connection=connection()))
    await other.refresh()
    assert [each.name for each in (await anext(watch)).endpoints] == [NAME]
    await world.endpoint_facts.put(FACTS)  # without a connection
    await other.refresh()
    assert list((await anext(watch)).endpoints) == []
    await watch.aclose()  # type: ignore[attr-defined]


async def test_a_watch_ends_when_its_time_is_up() -> None:
    assert [list(message.endpoints) async for message in EndpointFeed().watch("openai", 0.01)] == [[]]
