"""The registry, as the router sees it: a stream of models that is followed as long as the router lives."""

from __future__ import annotations

import asyncio
from typing import Any

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_router.domain.models import Models
from llm_mesh_runtime.follow import Stream, follow


class RegistryPeer:
    """Keeps the router's models as the registry has them. While the registry is away the last known models serve."""

    def __init__(self, channel: Any, models: Models) -> None:  # noqa: ANN401 - what stubs take has no common type
        self._stub = registry_pb2_grpc.RegistryServiceStub(channel)
        self._models = models
        self._token = ""
        self._snapshot: dict[str, registry_pb2.Model] | None = None
        self.complete = asyncio.Event()
        """Set once the first snapshot is whole."""

    async def run(self) -> None:
        """Follows the registry until cancelled."""
        await follow(self._open, self._take, name="registry.WatchModels")

    def _open(self) -> Stream[registry_pb2.WatchModelsResponse]:
        self._snapshot = None
        stream: Stream[registry_pb2.WatchModelsResponse] = self._stub.WatchModels(registry_pb2.WatchModelsRequest(resume_token=self._token))
        return stream

    def _take(self, message: registry_pb2.WatchModelsResponse) -> None:
        if message.reset:
            self._snapshot = {}
        if self._snapshot is not None:
            self._snapshot.update((model.name, model) for model in message.models)
            if message.snapshot_complete:
                self._models.replace(self._snapshot.values())
                self._snapshot = None
        else:
            for model in message.models:
                self._models.put(model)
            for name in message.removed:
                self._models.remove(name)
        if self._snapshot is None:
            self._token = message.resume_token or self._token
            self.complete.set()
