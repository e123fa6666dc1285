"""The registry, as the router sees it: a stream of models and accepted products that is followed as long as the router lives."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import grpc

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain.accepted import AcceptedProducts
from llm_mesh_router.domain.models import Models
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.refresh import WatchStream, follow

_OFFER_SECONDS = 5.0
_LOOKUP_SECONDS = 5.0


class _Snapshot(NamedTuple):
    """What came of a snapshot that is not whole yet."""

    models: dict[str, registry_pb2.Model]
    accepted: dict[tuple[str, str], registry_pb2.AcceptedProduct]


class ModelRegistryPeer:
    """Keeps models and accepted products as the registry has them. While it is away the last known ones serve."""

    def __init__(self, channel: Any, models: Models, accepted: AcceptedProducts) -> None:  # noqa: ANN401 - what stubs take has no common type
        self._stub = registry_pb2_grpc.RegistryServiceStub(channel)
        self._models = models
        self._accepted = accepted
        self._token = ""
        self._snapshot: _Snapshot | None = None
        self.complete = asyncio.Event()
        """Set once the first snapshot is whole."""

    async def run(self) -> None:
        """Follows the registry until cancelled."""
        await follow(self._open, self._take, name="registry.WatchModels")

    def _open(self) -> WatchStream[registry_pb2.WatchModelsResponse]:
        self._snapshot = None
        stream: WatchStream[registry_pb2.WatchModelsResponse] = self._stub.WatchModels(
            registry_pb2.WatchModelsRequest(resume_token=self._token)
        )
        return stream

    async def model(self, name: str) -> registry_pb2.Model | None:
        """The model of a name as it is now; None where there is none."""
        try:
            return (await self._stub.GetModel(registry_pb2.GetModelRequest(name=name), timeout=_LOOKUP_SECONDS)).model
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise from_rpc_error(error, peer="registry") from error

    async def put(self, routes: Sequence[router_pb2.Route], after: str, through: str) -> None:
        """Tells which routes of a range of names are offered."""
        request = registry_pb2.PutRouteOffersRequest(routes=routes, after=after, through=through)
        try:
            await self._stub.PutRouteOffers(request, timeout=_OFFER_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer="registry") from error

    def _take(self, message: registry_pb2.WatchModelsResponse) -> None:
        if message.reset:
            self._snapshot = _Snapshot({}, {})
        if self._snapshot is not None:
            self._snapshot.models.update((model.name, model) for model in message.models)
            self._snapshot.accepted.update(((one.domain, one.product), one) for one in message.accepted_products)
            if message.snapshot_complete:
                self._models.replace(self._snapshot.models.values())
                self._accepted.replace(self._snapshot.accepted.values())
                self._snapshot = None
        else:
            self._change(message)
        if self._snapshot is None:
            self._token = message.resume_token or self._token
            self.complete.set()

    def _change(self, message: registry_pb2.WatchModelsResponse) -> None:
        for model in message.models:
            self._models.put(model)
        for name in message.removed:
            self._models.remove(name)
        for one in message.accepted_products:
            self._accepted.put(one)
        for gone in message.removed_accepted_products:
            self._accepted.remove(gone.domain, gone.product)
