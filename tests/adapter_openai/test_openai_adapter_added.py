"""Endpoints are added, changed and removed while the adapter runs: no restart, and no call under way is disturbed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_adapter_openai.settings import Settings
from llm_mesh_adapter_openai.wiring import service
from llm_mesh_registry.settings import Settings as RegistrySettings
from llm_mesh_registry.wiring import service as registry_service
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.testing import HostedMesh, Link, host
from tests.adapter_kit.scripted_provider import Visit, provider, sized
from tests.adapter_openai.conftest import Client, say
from tests.databases import migrated

NAME = "adapters/openai/endpoints/gpu"
ANSWER = b'{"id": "1", "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "%s"}}]}'
VARIABLE = "LLM_MESH_ENDPOINT_CREDENTIAL_GPU"


class AddingWorld:
    """A registry and an adapter."""

    def __init__(self, mesh: HostedMesh) -> None:
        self.registry = registry_pb2_grpc.RegistryServiceStub(mesh.application("registry", key="mk_ana"))
        self.client = Client(mesh)

    async def put(self, **fields: Any) -> None:
        connection = registry_pb2.EndpointConnection(local=True, **fields)
        endpoint = registry_pb2.Endpoint(name=NAME, operator="domains/platform", connection=connection)
        await self.registry.PutEndpoint(registry_pb2.PutEndpointRequest(endpoint=endpoint))

    async def listed(self) -> dict[str, adapter_pb2.Endpoint]:
        answer = await self.client.stub.ListEndpoints(adapter_pb2.ListEndpointsRequest(page_size=100))
        return {each.name: each for each in answer.endpoints}

    async def until(self, **fields: Any) -> adapter_pb2.Endpoint | None:
        """The endpoint, once the adapter has it so; `base_url` None: once it has it no more."""
        async with asyncio.timeout(20):
            while True:
                found = (await self.listed()).get("gpu")
                if (found is None) if fields == {"base_url": None} else found is not None and _has(found, fields):
                    return found
                await asyncio.sleep(0.005)

    async def ask(self, model: str = "m") -> str:
        attempt = self.client.attempt(model, endpoint="gpu")
        request = adapter_pb2.GenerateRequest(grant=self.client.grant(attempt), attempt=attempt, input=say("Hello"))
        answer = await self.client.stub.Generate(request, timeout=20)
        return str(answer.output.choices[0].message.parts[0].text.text)


def _has(endpoint: adapter_pb2.Endpoint, fields: dict[str, Any]) -> bool:
    return all(value in getattr(endpoint, name) for name, value in fields.items())


@contextlib.asynccontextmanager
async def adding(tmp_path: Path, link: Link = "local", **settings: Any) -> AsyncIterator[AddingWorld]:
    url = f"sqlite:///{tmp_path}/registry.db"
    database = Database(url, name="registry")
    await migrated(database, "llm_mesh_registry.store.migrations")
    await database.close()
    settings = {"added_credentials": {"gpu": Secret("sk-of-the-gpu")}, "added_ranges": ("127.0.0.0/8",), **settings}
    of = {"registry": RegistrySettings(database_url=Secret(url)), "adapter/openai": Settings(**settings)}
    async with host(registry_service, service, link=link, settings=of) as mesh:
        yield AddingWorld(mesh)


async def answer(visit: Visit, word: bytes) -> None:
    while request := await visit.request():
        assert b"authorization: Bearer sk-of-the-gpu" in request
        await visit.say(sized(ANSWER % word))


@pytest.mark.parametrize("link", ["local", "grpc"])
async def test_an_endpoint_is_added_tested_changed_and_removed_without_a_restart(tmp_path: Path, link: Link) -> None:
    async with (
        adding(tmp_path, link) as world,
        provider(lambda visit: answer(visit, b"first")) as (_, first),
        provider(lambda visit: answer(visit, b"second")) as (_, second),
    ):
        for port, word in ((first, "first"), (second, "second")):
            origin = f"http://127.0.0.1:{port}"
            await world.put(base_url=f"{origin}/v1", like="vllm", credential={"origin": origin, "environment_variable": VARIABLE})
            await world.until(base_url=origin)
            check = await world.client.stub.CheckEndpoint(adapter_pb2.CheckEndpointRequest(endpoint="gpu"))
            assert check.status == 200
            assert await world.ask() == word
        await world.registry.DeleteEndpoint(registry_pb2.DeleteEndpointRequest(name=NAME))
        await world.until(base_url=None)
        with pytest.raises(grpc.aio.AioRpcError, match="there is no endpoint gpu"):
            await world.ask()


async def test_a_call_under_way_ends_at_the_old_address_and_the_next_goes_to_the_new_one(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(visit: Visit) -> None:
        await visit.request()
        begun.set()
        await go_on.wait()
        await visit.say(sized(ANSWER % b"old"))
        assert await visit.request() == b"", "the connection is not kept"
        visit.left.set()

    async with adding(tmp_path) as world, provider(slow) as (seen, old), provider(_plain) as (_, new):
        await world.put(base_url=f"http://127.0.0.1:{old}/v1")
        await world.until(base_url=str(old))
        under_way = asyncio.ensure_future(world.ask())
        async with asyncio.timeout(20):
            await begun.wait()
        await world.put(base_url=f"http://127.0.0.1:{new}/v1")
        await world.until(base_url=str(new))
        assert await world.ask() == "new"
        go_on.set()
        assert await under_way == "old"
        async with asyncio.timeout(20):
            await seen.visits[0].left.wait()


async def _plain(visit: Visit) -> None:
    while await visit.request():
        await visit.say(sized(ANSWER % b"new"))


@pytest.mark.parametrize(
    ("fields", "settings", "why"),
    [
        ({"base_url": "http://127.0.0.1:1"}, {"added_ranges": ("10.0.0.0/8",)}, ""),
        (
            {"base_url": "https://x.example", "credential": {"origin": "https://x.example", "environment_variable": "OPENAI_API_KEY"}},
            {},
            "must begin",
        ),
        ({"base_url": "https://x.example", "credential": {"origin": "https://x.example", "file": "/etc/passwd"}}, {}, "allows no files"),
        ({"base_url": "https://x.example", "like": "nobody"}, {}, "like: expected the name of a known provider"),
    ],
)
async def test_what_is_out_of_bounds_is_not_used_and_says_why(
    tmp_path: Path, fields: dict[str, Any], settings: dict[str, Any], why: str
) -> None:
    async with adding(tmp_path, **settings) as world:
        await world.put(**fields)
        if not why:  # an embedded mesh's own loopback addresses need no word of the operator
            await world.until(base_url="127.0.0.1")
            return
        fault = await world.until(fault=why)
        assert fault is not None
        assert not fault.has_credential
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.ask()
        assert why in (caught.value.details() or "")


async def test_an_operator_who_wants_none_gets_none(tmp_path: Path) -> None:
    async with adding(tmp_path, added_endpoints=False) as world:
        await world.put(base_url="http://127.0.0.1:1")
        assert "gpu" not in await world.listed()


async def test_a_name_of_the_operators_settings_is_not_taken_over(tmp_path: Path) -> None:
    async with adding(tmp_path) as world:
        connection = registry_pb2.EndpointConnection(base_url="https://attacker.example/v1")
        endpoint = registry_pb2.Endpoint(name="adapters/openai/endpoints/openai", operator="domains/platform", connection=connection)
        await world.registry.PutEndpoint(registry_pb2.PutEndpointRequest(endpoint=endpoint))
        await world.put(base_url="http://127.0.0.1:1")
        await world.until(base_url="127.0.0.1")
        openai = (await world.listed())["openai"]
        assert openai.base_url == "https://api.openai.com/v1"
        assert "settings of the adapter's operator" in openai.fault


async def test_a_name_that_leads_to_a_metadata_service_is_refused_at_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is fine when it is added, and leads elsewhere when it is called: DNS rebinding."""

    async def rebound(*_: object, **__: object) -> list[object]:
        return [(2, 1, 6, "", ("169.254.169.254", 443))]

    async with adding(tmp_path) as world:
        endpoint = registry_pb2.Endpoint(name=NAME, operator="domains/platform")
        endpoint.connection.base_url = "https://rebound.example/v1"
        await world.registry.PutEndpoint(registry_pb2.PutEndpointRequest(endpoint=endpoint))
        await world.until(base_url="rebound.example")
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", rebound, raising=False)
        with pytest.raises(grpc.aio.AioRpcError, match=r"169\.254\.169\.254"):
            await world.ask()
        monkeypatch.undo()
