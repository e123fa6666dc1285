"""`/readyz` waits for a model that the router knows, however long that takes, and for no model twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.up import usable
from llm_mesh_registry.wiring import service as registry
from llm_mesh_router.wiring import service as router
from llm_mesh_runtime.testing import HostedMesh, host


@pytest.fixture
async def mesh() -> AsyncIterator[HostedMesh]:
    async with host(registry, router) as running:
        running.hosts[""].health.expect(usable.MODELS)
        yield running


async def test_a_mesh_without_models_is_not_ready_until_the_router_knows_one(mesh: HostedMesh) -> None:
    hosted = mesh.hosts[""]
    await usable.until_models(hosted, time_limit=0.05)
    assert hosted.health.readiness()[usable.MODELS] is False
    assert hosted.health.serving(), "services are ready all the same: models can be made"
    stub = registry_pb2_grpc.RegistryServiceStub(mesh.application("registry", key="mk_ana"))
    model = registry_pb2.Model(alias="m", adapter="openai", endpoint="x", upstream_model="x", capabilities=["generate"])
    await stub.CreateModel(registry_pb2.CreateModelRequest(parent="domains/claims", model_id="m", model=model))
    async with asyncio.timeout(10):
        while not hosted.health.readiness()[usable.MODELS]:  # noqa: ASYNC110 (readiness has no event: it is asked for)
            await asyncio.sleep(0.01)
    hosted.health.drain()
    assert hosted.health.readiness()[usable.MODELS] is False
