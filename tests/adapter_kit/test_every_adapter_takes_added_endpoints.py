"""Every adapter uses endpoints that platform administrators add, each with its own credential, without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import content_pb2
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_adapter_kit.added.settings import AddedEndpointSettings
from llm_mesh_registry.settings import Settings as RegistrySettings
from llm_mesh_registry.wiring import service as registry_service
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.http.listener import HttpListener
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.service import Service
from llm_mesh_runtime.testing import HostedMesh, host
from llm_mesh_simulator.provider.app import Simulator
from llm_mesh_simulator.store.journal import Journal
from tests.adapter_kit.standing_adapter import ENDPOINT, StandingAdapter, adapter_of
from tests.databases import migrated

VARIABLE = "LLM_MESH_ENDPOINT_CREDENTIAL_GPU"
KEY, OTHER_KEY = "sk-of-the-gpu-0123456789", "sk-of-another-gpu-0123456789"


class AddedAt(NamedTuple):
    """Where the simulator speaks an adapter's dialect, and what its list of models says of one of them."""

    path: str
    like: str = ""
    window: int = 0


PLACES: Mapping[str, AddedAt] = {
    "openai": AddedAt("/v1", "vllm"),
    "anthropic": AddedAt("", "anthropic"),
    "gemini": AddedAt("/v1", "google", 1_114_112),
    "bedrock": AddedAt(""),
    "cohere": AddedAt("/cohere", window=128_000),
    "ollama": AddedAt("", window=128_000),
}
WITHOUT: Mapping[str, str] = {
    "mesh": "the simulator is no mesh; tests/e2e/test_two_meshes.py adds one",
    "engine": "it takes them, but the simulator speaks no gRPC: no test shows it yet",
    "oip": "tests/adapter_oip adds one: the simulator speaks no gRPC",
    "litellm": "what the library may reach is for its operator to say",
    "anyllm": "what the library may reach is for its operator to say",
}
"""Adapters that this suite does not show, and why."""
ADAPTERS: Mapping[str, Service] = {
    point.name.removeprefix("adapter-"): point.load()
    for point in entry_points(group="llm_mesh.services")
    if point.name.startswith("adapter-") and point.name.removeprefix("adapter-") not in WITHOUT
}


class AddingAdapter:
    """A registry, an adapter and the simulator behind an endpoint that is not there yet."""

    def __init__(self, mesh: HostedMesh, service: Service, origin: str) -> None:
        self.name = service.name.removeprefix("adapter/")
        self.origin = origin
        self.place = PLACES[self.name]
        self.registry = registry_pb2_grpc.RegistryServiceStub(mesh.application("registry", key="mk_ana"))
        self.adapter: StandingAdapter = adapter_of(service, mesh)

    @property
    def resource(self) -> str:
        return f"adapters/{self.name}/endpoints/{ENDPOINT}"

    async def put(self, credential: Mapping[str, str]) -> None:
        connection = registry_pb2.EndpointConnection(base_url=self.origin + self.place.path, local=True, like=self.place.like)
        if credential:
            connection.credential.CopyFrom(registry_pb2.CredentialReference(origin=self.origin, **credential))
        endpoint = registry_pb2.Endpoint(name=self.resource, operator="domains/platform", connection=connection)
        await self.registry.PutEndpoint(registry_pb2.PutEndpointRequest(endpoint=endpoint))

    async def stands(self, *, stands: bool = True, fault: str = "") -> None:
        """Returns once the adapter has the endpoint, or has it no more."""
        async with asyncio.timeout(20):
            while True:
                listed = await self.adapter.stub.ListEndpoints(adapter_pb2.ListEndpointsRequest(page_size=100))
                matching = [each for each in listed.endpoints if each.name == ENDPOINT and fault in each.fault]
                if bool(matching) == stands:
                    return
                await asyncio.sleep(0.005)

    async def admitted(self, *, expected: bool = True) -> None:
        """Returns once the provider admits the endpoint, or does not, where that is expected."""
        async with asyncio.timeout(20):
            while True:
                outcome = await self._check()
                if outcome == "CHECK_RESULT_ADMITTED":
                    assert expected
                    return
                if not expected and "is not used" not in outcome:
                    assert outcome == "CHECK_RESULT_REFUSED" or "credential" in outcome
                    return
                await asyncio.sleep(0.005)

    async def _check(self) -> str:
        try:
            checked = await self.adapter.stub.CheckEndpoint(adapter_pb2.CheckEndpointRequest(endpoint=ENDPOINT))
        except grpc.aio.AioRpcError as error:
            return error.details() or ""
        return adapter_pb2.CheckResult.Name(checked.result)


@asynccontextmanager
async def adding(service: Service, folder: Path, *, wants: str = KEY, settings: Mapping[str, object] = {}) -> AsyncIterator[AddingAdapter]:
    url = f"sqlite:///{folder}/registry.db"
    database = Database(url, name="registry")
    await migrated(database, "llm_mesh_registry.store.migrations")
    await database.close()
    journal = Journal(folder / "simulator.log.jsonl")
    journal.open()
    listener = HttpListener("127.0.0.1:0", Simulator(journal, api_key=wants))
    await listener.start()
    own: dict[str, Any] = {"added_credentials": {"gpu": Secret(KEY)}, **settings}
    of = {"registry": RegistrySettings(database_url=Secret(url)), service.name: service.settings(**own)}
    try:
        async with host(registry_service, service, settings=of) as mesh:
            yield AddingAdapter(mesh, service, f"http://{listener.address}")
    finally:
        await listener.stop(1)
        journal.close()


def test_every_adapter_is_tried_or_says_why_it_takes_none() -> None:
    assert PLACES.keys() == ADAPTERS.keys()
    assert all(issubclass(service.settings, AddedEndpointSettings) for service in ADAPTERS.values())


@pytest.mark.parametrize("name", ADAPTERS)
async def test_an_endpoint_is_added_tested_used_and_removed_without_a_restart(name: str, tmp_path: Path) -> None:
    async with adding(ADAPTERS[name], tmp_path) as added:
        await added.put({"environment_variable": VARIABLE})
        await added.stands()
        await added.admitted()
        hello = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[content_pb2.Part(text=content_pb2.Text(text="Hello"))])
        answer = await added.adapter.generate("sim-echo", messages=[hello])
        assert answer.output.choices[0].message.parts[0].text.text == "Hello"
        events, _ = await added.adapter.stream("sim-echo", messages=[hello])
        assert "".join(event.text.text for event in events) == "Hello"
        found = await added.adapter.discover()
        assert "sim-echo" in found.models
        described = {each.model: each for each in found.descriptions}
        if added.place.window:
            assert described["sim-echo"].context_window == added.place.window
        await added.registry.DeleteEndpoint(registry_pb2.DeleteEndpointRequest(name=added.resource))
        await added.stands(stands=False)
        with pytest.raises(grpc.aio.AioRpcError, match=f"there is no endpoint {ENDPOINT}"):
            await added.adapter.generate("sim-echo", messages=[hello])


@pytest.mark.parametrize("name", ADAPTERS)
async def test_a_credential_may_be_a_file_which_is_read_again(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_mesh_adapter_kit.added.following._FILES_READ_AGAIN", 0.01)
    file = tmp_path / "gpu.key"
    file.write_text(OTHER_KEY)
    async with adding(ADAPTERS[name], tmp_path, settings={"added_files": str(tmp_path)}) as added:
        await added.put({"file": str(file)})
        await added.stands()
        await added.admitted(expected=False)
        file.write_text(KEY)
        await added.admitted()


@pytest.mark.parametrize("name", ADAPTERS)
async def test_the_operators_own_credentials_are_out_of_reach(name: str, tmp_path: Path) -> None:
    service = ADAPTERS[name]
    keys = [key for key, kind in service.settings.__annotations__.items() if kind == "Secret"]
    assert keys
    async with adding(service, tmp_path, settings=dict.fromkeys(keys, Secret(KEY))) as added:
        await added.put({"environment_variable": "LLM_MESH_ENDPOINT_CREDENTIAL_OTHER"})
        await added.stands(fault="does not have it")
        await added.put({})
        await added.admitted(expected=False)
