"""Which providers the adapters of a mesh can reach."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_mesh.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_cli.facts import facts_of

if TYPE_CHECKING:
    import grpc

PREFIX = "adapter/"
ADAPTER = "x-llm-mesh-adapter"
"""Metadata that names the adapter at a listener that several share."""
_SIMULATOR = "simulator"
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class AdapterEndpoints:
    """What the adapters say of their endpoints: pairs of adapter and endpoint."""

    with_credential: tuple[tuple[str, str], ...]
    """Where a credential was found; neither local servers nor the simulator."""
    simulator: tuple[tuple[str, str], ...]
    """Those that lead to the simulator, one per dialect."""
    facts: tuple[registry_pb2.Endpoint, ...]
    """What is known of all of these: for whoever operates this mesh to complete."""

    @classmethod
    async def ask(
        cls, channel: Callable[[str], grpc.aio.Channel], adapters: Iterable[str], admin: tuple[tuple[str, str], ...] = ()
    ) -> AdapterEndpoints:
        """Ask every adapter, by the names of their links."""
        pairs: list[tuple[str, str]] = []
        simulator: list[tuple[str, str]] = []
        facts: list[registry_pb2.Endpoint] = []
        for name in sorted(adapters):
            adapter = name.removeprefix(PREFIX)
            stub = adapter_pb2_grpc.AdapterServiceStub(channel(name))
            request = adapter_pb2.ListEndpointsRequest(page_size=_PAGE)
            answer = await stub.ListEndpoints(request, metadata=((ADAPTER, adapter), *admin))
            for endpoint in answer.endpoints:
                if endpoint.name.startswith(_SIMULATOR):
                    simulator.append((adapter, endpoint.name))
                    facts.append(facts_of(adapter, endpoint))
                elif endpoint.has_credential and not endpoint.local:
                    pairs.append((adapter, endpoint.name))
                    facts.append(facts_of(adapter, endpoint))
        return cls(tuple(pairs), tuple(simulator), tuple(facts))

    def simulated_by(self, answering: Collection[tuple[str, str]]) -> AdapterEndpoints:
        """The same where only some of the simulator's endpoints lead to one that runs: the others are left out."""
        silent = {f"adapters/{adapter}/endpoints/{name}" for adapter, name in self.simulator if (adapter, name) not in answering}
        facts = tuple(each for each in self.facts if each.name not in silent)
        return AdapterEndpoints(self.with_credential, tuple(each for each in self.simulator if each in answering), facts)
