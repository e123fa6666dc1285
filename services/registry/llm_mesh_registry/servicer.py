"""The registry's RPCs: unpack, one call of the domain, pack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_runtime.context import caller
from llm_mesh_runtime.resources import page_of

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from llm_mesh_registry.domain.feed import Feed
    from llm_mesh_registry.domain.registry import Registry
    from llm_mesh_registry.domain.well_known import WellKnownModels

    Context = ServicerContext[Any, Any]


class RegistryServicer(registry_pb2_grpc.RegistryServiceServicer):
    """Models, prices and adapters, and the stream of their changes."""

    def __init__(self, registry: Registry, feed: Feed, well_known: WellKnownModels, *, watch_lifetime: float) -> None:
        self._registry = registry
        self._feed = feed
        self._well_known = well_known
        self._watch_lifetime = watch_lifetime

    async def CreateModel(self, request: registry_pb2.CreateModelRequest, context: Context) -> registry_pb2.CreateModelResponse:
        model = await self._registry.create_model(caller().domain, request.parent, request.model_id, request.model)
        return registry_pb2.CreateModelResponse(model=model)

    async def GetModel(self, request: registry_pb2.GetModelRequest, context: Context) -> registry_pb2.GetModelResponse:
        return registry_pb2.GetModelResponse(model=await self._registry.model(request.name))

    async def ListModels(self, request: registry_pb2.ListModelsRequest, context: Context) -> registry_pb2.ListModelsResponse:
        models, token = await self._registry.models(request.parent, page_of(request, request.parent))
        return registry_pb2.ListModelsResponse(models=models, next_page_token=token)

    async def UpdateModel(self, request: registry_pb2.UpdateModelRequest, context: Context) -> registry_pb2.UpdateModelResponse:
        model = await self._registry.update_model(caller().domain, request.model, request.update_mask)
        return registry_pb2.UpdateModelResponse(model=model)

    async def DeprecateModel(self, request: registry_pb2.DeprecateModelRequest, context: Context) -> registry_pb2.DeprecateModelResponse:
        return registry_pb2.DeprecateModelResponse(model=await self._registry.deprecate_model(request.name, request.retire_time))

    async def CreatePrice(self, request: registry_pb2.CreatePriceRequest, context: Context) -> registry_pb2.CreatePriceResponse:
        return registry_pb2.CreatePriceResponse(price=await self._registry.create_price(request.parent, request.price))

    async def GetPrice(self, request: registry_pb2.GetPriceRequest, context: Context) -> registry_pb2.GetPriceResponse:
        return registry_pb2.GetPriceResponse(price=await self._registry.price(request.name))

    async def ListPrices(self, request: registry_pb2.ListPricesRequest, context: Context) -> registry_pb2.ListPricesResponse:
        prices, token = await self._registry.prices(request.parent, page_of(request, request.parent))
        return registry_pb2.ListPricesResponse(prices=prices, next_page_token=token)

    async def ListAdapters(self, request: registry_pb2.ListAdaptersRequest, context: Context) -> registry_pb2.ListAdaptersResponse:
        adapters, token = await self._registry.adapters(page_of(request))
        return registry_pb2.ListAdaptersResponse(adapters=adapters, next_page_token=token)

    async def PutAdapter(self, request: registry_pb2.PutAdapterRequest, context: Context) -> registry_pb2.PutAdapterResponse:
        return registry_pb2.PutAdapterResponse(adapter=await self._registry.put_adapter(request.adapter))

    async def ListWellKnownModels(
        self, request: registry_pb2.ListWellKnownModelsRequest, context: Context
    ) -> registry_pb2.ListWellKnownModelsResponse:
        models, token = self._well_known.page(request.endpoint, page_of(request, request.endpoint))
        return registry_pb2.ListWellKnownModelsResponse(models=models, next_page_token=token)

    async def WatchModels(
        self, request: registry_pb2.WatchModelsRequest, context: Context
    ) -> AsyncIterator[registry_pb2.WatchModelsResponse]:
        async for message in self._feed.watch(request.resume_token, self._watch_lifetime):
            yield message

    async def ApplyModels(self, request: registry_pb2.ApplyModelsRequest, context: Context) -> registry_pb2.ApplyModelsResponse:
        return registry_pb2.ApplyModelsResponse(changes=await self._registry.apply(caller().domain, request))
