"""All services that the gateway has links to: how they are, and whose public methods it passes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh.policy.v1.policy_pb2_grpc import PolicyServiceStub
from llm_mesh.router.v1 import router_pb2
from llm_mesh.router.v1.router_pb2_grpc import RouterServiceStub
from llm_mesh.services import SERVICES
from llm_mesh_gateway.peers.calls import ADAPTERS
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.service import Relay

_OWN = "gateway"
_CHECK = 2.0
_READINESS = 0.5
_SERVING = health_pb2.HealthCheckResponse.SERVING


class ServicePeers:
    """All services that this gateway has a link to, itself among them, as `grpc.health.v1` tells of them."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def check(self) -> list[gateway_pb2.ServiceCheck]:
        """How each of them is, by name."""
        names = [name for name in self._links.names() if not name.startswith("process/")]
        states = await asyncio.gather(*map(self._state, names))
        return [gateway_pb2.ServiceCheck(service=name, state=state) for name, state in zip(names, states, strict=True)]

    async def _state(self, name: str) -> gateway_pb2.ServiceState:
        stub = health_pb2_grpc.HealthStub(self._links.channel(name))
        try:
            answer = await stub.List(health_pb2.HealthListRequest(), timeout=_CHECK)
        except grpc.aio.AioRpcError:
            return gateway_pb2.SERVICE_STATE_UNREACHABLE
        own = [state.status for known, state in answer.statuses.items() if known == name or known.startswith(f"llm_mesh.{name}.")]
        serving = all(status == _SERVING for status in own or [answer.statuses[""].status])
        return gateway_pb2.SERVICE_STATE_SERVING if serving else gateway_pb2.SERVICE_STATE_NOT_SERVING

    async def readiness(self) -> list[gateway_pb2.ReadinessCondition]:
        """What a newcomer needs, of policy and of the router."""
        policy, router = PolicyServiceStub(self._links.channel("policy")), RouterServiceStub(self._links.channel("router"))
        has_keys, has_models = await asyncio.gather(
            _has(policy.CheckReadiness(policy_pb2.CheckReadinessRequest(), timeout=_READINESS), "has_keys"),
            _has(router.CheckReadiness(router_pb2.CheckReadinessRequest(), timeout=_READINESS), "has_models"),
        )
        answered = {"policy": has_keys is not None, "router": has_models is not None}
        known = {name: met for name, met in (("setup/keys", has_keys), ("setup/models", has_models)) if met is not None}
        return [gateway_pb2.ReadinessCondition(name=name, met=met) for name, met in (answered | known).items()]


async def _has(call: Awaitable[Any], field: str) -> bool | None:
    """What a service says of itself; None where it does not answer. One of the release before cannot say, and is believed."""
    try:
        return bool(getattr(await call, field))
    except grpc.aio.AioRpcError as error:
        return True if error.code() is grpc.StatusCode.UNIMPLEMENTED else None


def relays() -> tuple[Relay, ...]:
    """Whose public methods a gateway that runs apart passes on: those of all other services."""
    peers = {ADAPTERS if each.name.startswith(ADAPTERS) else each.name: each for each in SERVICES if each.contracts and each.name != _OWN}
    return tuple(Relay(peer, tuple(_registration(*place) for place in each.registrations)) for peer, each in peers.items())


def _registration(module: str, name: str) -> Callable[[Any, Any], None]:
    """A generated `add_…_to_server`. Only a gateway with a public listener of its own loads other services' stubs."""
    register: Callable[[Any, Any], None] = getattr(import_module(module), name)
    return register
