"""The registry's contract, over every link."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import grpc
import pytest

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_registry.settings import Settings
from llm_mesh_registry.wiring import service
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.testing import HostedMesh, host
from tests.databases import migrated

MODEL = registry_pb2.Model(alias="m", adapter="openai", endpoint="openai", upstream_model="up")


@pytest.fixture(params=["local", "grpc"])
async def mesh(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[HostedMesh]:
    link: Literal["local", "grpc"] = request.param
    database = Database(f"sqlite:///{tmp_path}/registry.db", name="registry")
    await migrated(database, "llm_mesh_registry.store.migrations")
    await database.close()
    settings = Settings(database_url=Secret(f"sqlite:///{tmp_path}/registry.db"))
    async with host(service, link=link, settings={"registry": settings}, data_dir=tmp_path) as hosted:
        yield hosted


async def test_a_service_watches_what_an_application_creates(mesh: HostedMesh) -> None:
    application = registry_pb2_grpc.RegistryServiceStub(mesh.application("registry", key="mk_ana"))
    router = registry_pb2_grpc.RegistryServiceStub(mesh.channel("registry", caller="router"))
    stream = router.WatchModels(registry_pb2.WatchModelsRequest())
    try:
        messages = aiter(stream)
        assert (await anext(messages)).snapshot_complete
        created = await application.CreateModel(registry_pb2.CreateModelRequest(parent="domains/claims", model_id="m", model=MODEL))
        assert [found.name for found in (await anext(messages)).models] == [created.model.name]
    finally:
        stream.cancel()


async def test_a_wrong_name_and_an_absent_one_have_statuses_of_their_own(mesh: HostedMesh) -> None:
    application = registry_pb2_grpc.RegistryServiceStub(mesh.application("registry", key="mk_ana"))
    for name, code in (("nonsense", grpc.StatusCode.INVALID_ARGUMENT), ("domains/claims/models/none", grpc.StatusCode.NOT_FOUND)):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await application.GetModel(registry_pb2.GetModelRequest(name=name))
        assert failure.value.code() == code
