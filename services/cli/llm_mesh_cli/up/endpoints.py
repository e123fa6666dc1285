"""Which providers the adapters of this process can reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_mesh.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_cli.facts import facts_of

if TYPE_CHECKING:
    from llm_mesh_runtime.links import Links

_PREFIX = "adapter/"
_SIMULATOR = "simulator"
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What the adapters say of their endpoints: pairs of adapter and endpoint."""

    with_credential: tuple[tuple[str, str], ...]
    """Where a credential was found; neither local servers nor the simulator."""
    simulator: tuple[tuple[str, str], ...]
    """Those that lead to the simulator, one per dialect."""
    facts: tuple[registry_pb2.Endpoint, ...]
    """What is known of all of these: for whoever operates this mesh to complete."""

    @classmethod
    async def ask(cls, links: Links, names: Iterable[str]) -> Endpoints:
        """Ask every hosted adapter."""
        found: list[tuple[str, str]] = []
        simulator: list[tuple[str, str]] = []
        facts: list[registry_pb2.Endpoint] = []
        for name in sorted(name for name in names if name.startswith(_PREFIX)):
            stub = adapter_pb2_grpc.AdapterServiceStub(links.channel(name))
            answer = await stub.ListEndpoints(adapter_pb2.ListEndpointsRequest(page_size=_PAGE))
            adapter = name.removeprefix(_PREFIX)
            for endpoint in answer.endpoints:
                if endpoint.name.startswith(_SIMULATOR):
                    simulator.append((adapter, endpoint.name))
                    facts.append(facts_of(adapter, endpoint))
                elif endpoint.has_credential and not endpoint.local:
                    found.append((adapter, endpoint.name))
                    facts.append(facts_of(adapter, endpoint))
        return cls(tuple(found), tuple(simulator), tuple(facts))
