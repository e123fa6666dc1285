"""The models of the providers that a mesh can reach, with their prices; and the facts of these endpoints.

What an operator has changed since is left alone: only models that are missing are registered, only facts that nobody has declared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.naming import SHARED, named
from llm_mesh_cli.paging import pages
from llm_mesh_cli.set_up.project import PLATFORM
from llm_mesh_cli.set_up.simulated import simulator_models

if TYPE_CHECKING:
    import grpc

    from llm_mesh_cli.set_up.endpoints import AdapterEndpoints


class ProviderModels:
    """Registers models. `admin` has the administrator's credential where the channel carries none."""

    def __init__(self, channel: Callable[[str], grpc.aio.Channel], admin: tuple[tuple[str, str], ...] = ()) -> None:
        self._registry = registry_pb2_grpc.RegistryServiceStub(channel("registry"))
        self._admin = admin

    async def register(self, endpoints: AdapterEndpoints) -> int:
        """Make known what is missing; the number of new models."""
        registered = list(simulator_models(endpoints.simulator))
        for adapter, endpoint in endpoints.with_credential:
            registered += await self._well_known(adapter, endpoint)
        missing = named(registered, await self._registered())
        undeclared = await self._undeclared(endpoints.facts)
        if missing or undeclared:
            request = registry_pb2.ApplyModelsRequest(parent=PLATFORM, models=missing, endpoints=undeclared)
            await self._registry.ApplyModels(request, metadata=self._admin)
        return len(missing)

    async def _well_known(self, adapter: str, endpoint: str) -> list[registry_pb2.Model]:
        request = registry_pb2.ListWellKnownModelsRequest(endpoint=endpoint)
        answers = pages(self._registry.ListWellKnownModels, request, metadata=self._admin)
        return [model async for answer in answers for model in answer.models if model.adapter == adapter]

    async def _undeclared(self, facts: Sequence[registry_pb2.Endpoint]) -> list[registry_pb2.Endpoint]:
        """Those whose facts nobody has declared: what an operator wrote since is left alone."""
        answers = pages(self._registry.ListEndpoints, registry_pb2.ListEndpointsRequest(), metadata=self._admin)
        declared = {endpoint.name async for answer in answers for endpoint in answer.endpoints}
        return [endpoint for endpoint in facts if endpoint.name not in declared]

    async def _registered(self) -> list[registry_pb2.Model]:
        answers = pages(self._registry.ListModels, registry_pb2.ListModelsRequest(parent=SHARED), metadata=self._admin)
        return [model async for answer in answers for model in answer.models]
