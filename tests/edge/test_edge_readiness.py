"""How an edge that runs apart learns whether the mesh can be used: at a bounded pace, and without waiting for the dead."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping

import aiohttp

from llm_mesh_edge.domain.readiness import PACE, MeshReadiness
from llm_mesh_edge.wiring import service
from llm_mesh_runtime.errors import MeshError, store_unavailable
from llm_mesh_runtime.testing import host
from tests.edge.fakes import FakeGateway


class Told:
    """A gateway that says what the test wants."""

    def __init__(self, **conditions: bool) -> None:
        self.conditions: Mapping[str, bool] = {name.replace("_", "/"): met for name, met in conditions.items()}
        self.fails: MeshError | None = None
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def readiness(self) -> Mapping[str, bool]:
        self.asked += 1
        await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        return self.conditions


class Clock:
    """A clock that the test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_the_gateway_is_asked_once_a_second_at_most() -> None:
    told, clock = Told(setup_keys=True), Clock()
    mesh = MeshReadiness(told, clock)
    for _ in range(5):
        assert await mesh.conditions() == {"gateway": True, "setup/keys": True}
        clock.now += PACE / 10
    assert told.asked == 1
    clock.now += PACE
    await mesh.conditions()
    assert told.asked == 2


async def test_all_who_ask_at_once_share_one_question() -> None:
    told = Told(setup_keys=False)
    told.gate.clear()
    mesh = MeshReadiness(told, Clock())
    asking = [asyncio.create_task(mesh.conditions()) for _ in range(5)]
    await asyncio.sleep(0)
    asking[0].cancel()
    told.gate.set()
    answers = await asyncio.gather(*asking[1:])
    assert answers == [{"gateway": True, "setup/keys": False}] * 4
    assert told.asked == 1


async def test_what_was_there_once_stays_so_and_the_gateway_is_as_it_is_now() -> None:
    """A service behind the gateway that is down for a while takes no edge out of service."""
    told, clock = Told(policy=True, router=False, setup_keys=True, setup_models=False), Clock()
    mesh = MeshReadiness(told, clock)
    assert not (await mesh.conditions())["router"]
    told.conditions = {"policy": False, "router": False, "setup/models": True}
    clock.now += PACE
    assert await mesh.conditions() == {"gateway": True, "policy": True, "router": False, "setup/keys": True, "setup/models": True}
    told.fails = store_unavailable("gateway")
    clock.now += PACE
    assert await mesh.conditions() == {"gateway": False, "policy": True, "setup/keys": True, "setup/models": True}


async def ready(address: str) -> tuple[int, Mapping[str, bool]]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}/readyz") as answer:
        return answer.status, json.loads(await answer.text())["services"]


async def test_a_gateway_of_the_release_before_is_believed() -> None:
    async with host(FakeGateway().service(), service, link="grpc") as mesh:
        assert await ready(mesh.http("edge")) == (200, {"edge": True, "gateway": True})


async def test_a_gateway_that_takes_connections_and_never_answers_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        links = {"gateway": f"dns:///127.0.0.1:{silent.getsockname()[1]}"}
        async with host(service, embedded=False, links=links) as mesh, asyncio.timeout(10):
            assert await ready(mesh.http("edge")) == (503, {"edge": True, "policy": True, "gateway": False})
