"""Whether a newcomer can use the mesh: the first keys are made, and the router knows a model that can be asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc

from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from llm_mesh_runtime.backoff import Backoff

if TYPE_CHECKING:
    from llm_mesh_runtime.host import Host
    from llm_mesh_runtime.links import Links

KEYS, MODELS = "setup/keys", "setup/models"
"""The conditions that `/readyz` names."""
_PAUSE = 0.02
_LONGEST_PAUSE = 1.0
_CALL = 5.0


async def until_models(host: Host, *, time_limit: float) -> None:
    """Look for a model until there is one, in the background; wait for that, at most as long as the time limit says."""
    names = {hosted.service.name for hosted in host.hosted}
    if not {"registry", "router"} <= names:  # others own the models of this mesh
        host.health.fulfil(MODELS)
        return
    looking = asyncio.create_task(_look(host), name="models for newcomers")
    host.on_stop(looking.cancel)
    if time_limit:
        await asyncio.wait([looking], timeout=time_limit)


async def _look(host: Host) -> None:
    links, backoff = host.links("up"), Backoff(_PAUSE, _LONGEST_PAUSE)
    while not await _there(links):
        await backoff.wait()
    host.health.fulfil(MODELS)


async def _there(links: Links) -> bool:
    """Whether the router knows a model that its domain may address."""
    router = router_pb2_grpc.RouterServiceStub(links.channel("router"))
    try:
        return (await router.CheckReadiness(router_pb2.CheckReadinessRequest(), timeout=_CALL)).has_models
    except grpc.aio.AioRpcError:
        return False  # a store that is away: the service itself is not ready then
