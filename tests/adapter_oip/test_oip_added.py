"""An endpoint that platform administrators add is used with the default tensors and its own credential, and goes away again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_adapter_oip.settings import Settings
from llm_mesh_adapter_oip.wiring import service
from llm_mesh_registry.settings import Settings as RegistrySettings
from llm_mesh_registry.wiring import service as registry_service
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.testing import host
from tests.adapter_kit.standing_adapter import ENDPOINT, StandingAdapter, adapter_of
from tests.adapter_oip.fake_server import serving, vector_of
from tests.adapter_oip.oip_adapter import failure_of, ranked, scores_of, vectors_of
from tests.databases import migrated

RESOURCE = f"adapters/oip/endpoints/{ENDPOINT}"


async def has_endpoint(adapter: StandingAdapter, *, expected: bool) -> None:
    """Returns once the adapter has the endpoint, or has it no more."""
    async with asyncio.timeout(20):
        while True:
            listed = await adapter.stub.ListEndpoints(adapter_pb2.ListEndpointsRequest(page_size=100))
            if bool(listed.endpoints) == expected:
                return
            await asyncio.sleep(0.005)


async def test_an_endpoint_is_added_used_and_removed_without_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/registry.db"
    database = Database(url, name="registry")
    await migrated(database, "llm_mesh_registry.store.migrations")
    await database.close()
    settings = {
        "registry": RegistrySettings(database_url=Secret(url)),
        service.name: Settings(added_credentials={"gpu": Secret("s3cr3t")}, key=Secret("the operator's own")),
    }
    async with serving() as server, host(registry_service, service, settings=settings) as mesh:
        registry, adapter = registry_pb2_grpc.RegistryServiceStub(mesh.application("registry", key="mk_ana")), adapter_of(service, mesh)
        origin = f"http://127.0.0.1:{server.port}"
        connection = registry_pb2.EndpointConnection(base_url=origin, local=True)
        reference = registry_pb2.CredentialReference(origin=origin, environment_variable="LLM_MESH_ENDPOINT_CREDENTIAL_GPU")
        connection.credential.CopyFrom(reference)
        endpoint = registry_pb2.Endpoint(name=RESOURCE, operator="domains/platform", connection=connection)
        await registry.PutEndpoint(registry_pb2.PutEndpointRequest(endpoint=endpoint))
        await has_endpoint(adapter, expected=True)
        assert vectors_of(await adapter.embed(["one"])) == [vector_of("one", 3)]
        assert server.metadata["authorization"] == "Bearer s3cr3t"
        assert scores_of(await ranked(adapter, ["a", "aa"]))[0][0] == 1
        await registry.DeleteEndpoint(registry_pb2.DeleteEndpointRequest(name=RESOURCE))
        await has_endpoint(adapter, expected=False)
        assert (await failure_of(adapter.embed(["one"]))).reason_name == "UNKNOWN_ENDPOINT"
