"""`/readyz` of an edge that runs apart: 200 once a newcomer can use the mesh, else 503 with what is missing, whatever peers do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import pytest

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_edge.domain import readiness
from llm_mesh_runtime.testing import HostedMesh
from tests.proofs.separately import bootstrapped, empty

PATIENCE = 30


@pytest.fixture
async def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HostedMesh]:
    monkeypatch.setattr(readiness, "PACE", 0.02)
    async with empty(tmp_path, "edge") as running:
        yield running


async def asked(mesh: HostedMesh) -> tuple[int, set[str], Mapping[str, bool]]:
    """The status, what is missing, and all that is told."""
    async with aiohttp.ClientSession() as session, session.get(f"http://{mesh.http('edge')}/readyz") as answer:
        told = json.loads(await answer.text())
        return answer.status, {name for name, met in told["services"].items() if not met}, told["services"]


async def until(mesh: HostedMesh, status: int, missing: set[str]) -> Mapping[str, bool]:
    """Ask until the answer is this one."""
    async with asyncio.timeout(PATIENCE):
        while True:
            *answer, services = await asked(mesh)
            if answer == [status, missing]:
                return services
            await asyncio.sleep(0.02)  # other hosts tell nobody of their changes


async def test_an_edge_is_ready_once_there_are_keys_and_models_and_not_while_the_gateway_is_gone(mesh: HostedMesh) -> None:
    await until(mesh, 503, {"setup/keys", "setup/models"})
    key = await bootstrapped(mesh)
    await until(mesh, 503, {"setup/models"})
    registry = registry_pb2_grpc.RegistryServiceStub(mesh.application("registry", key=key))
    model = registry_pb2.Model(alias="m", adapter="openai", endpoint="x", upstream_model="x", capabilities=["generate"])
    await registry.CreateModel(registry_pb2.CreateModelRequest(parent="domains/platform", model_id="m", model=model))
    ready = await until(mesh, 200, set())
    assert set(ready) == {"edge", "gateway", "policy", "router", "setup/keys", "setup/models"}
    for behind in ("router", "policy"):
        await mesh.hosts[behind].stop()
        await asyncio.sleep(2 * readiness.PACE)  # the edge asks anew
        assert (await asked(mesh))[:2] == (200, set()), "an outage behind the gateway takes out no edge"
    await mesh.hosts["gateway"].stop()
    assert (await until(mesh, 503, {"gateway"}))["setup/models"], "what was there once is not said to be missing"
