"""The registry's RPCs: unpack, one call of the domain, pack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_runtime.context import caller
from llm_mesh_runtime.resources import checked_id, page_of

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from llm_mesh_registry.domain.endpoint_facts import EndpointFacts
    from llm_mesh_registry.domain.endpoint_feed import EndpointFeed
    from llm_mesh_registry.domain.feed import Feed
    from llm_mesh_registry.domain.registry import Registry
    from llm_mesh_registry.domain.subscriptions import Consent
    from llm_mesh_registry.domain.well_known import WellKnownModels

    Context = ServicerContext[Any, Any]


class RegistryServicer(registry_pb2_grpc.RegistryServiceServicer):
    """Models, prices and adapters, subscriptions to them, and the stream of their changes."""

    def __init__(
        self,
        registry: Registry,
        endpoint_facts: EndpointFacts,
        consent: Consent,
        feed: Feed,
        endpoint_feed: EndpointFeed,
        well_known: WellKnownModels,
        *,
        watch_lifetime: float,
    ) -> None:
        self._registry = registry
        self._endpoint_facts = endpoint_facts
        self._consent = consent
        self._feed = feed
        self._endpoint_feed = endpoint_feed
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

    async def ListEndpoints(self, request: registry_pb2.ListEndpointsRequest, context: Context) -> registry_pb2.ListEndpointsResponse:
        endpoints, token = await self._endpoint_facts.page(caller().domain, page_of(request))
        return registry_pb2.ListEndpointsResponse(endpoints=endpoints, next_page_token=token)

    async def GetEndpoint(self, request: registry_pb2.GetEndpointRequest, context: Context) -> registry_pb2.GetEndpointResponse:
        return registry_pb2.GetEndpointResponse(endpoint=await self._endpoint_facts.get(caller().domain, request.name))

    async def PutEndpoint(self, request: registry_pb2.PutEndpointRequest, context: Context) -> registry_pb2.PutEndpointResponse:
        return registry_pb2.PutEndpointResponse(endpoint=await self._endpoint_facts.put(request.endpoint))

    async def DeleteEndpoint(self, request: registry_pb2.DeleteEndpointRequest, context: Context) -> registry_pb2.DeleteEndpointResponse:
        await self._endpoint_facts.delete(request.name, request.etag, force=request.force)
        return registry_pb2.DeleteEndpointResponse()

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

    async def WatchEndpoints(
        self, request: registry_pb2.WatchEndpointsRequest, context: Context
    ) -> AsyncIterator[registry_pb2.WatchEndpointsResponse]:
        async for message in self._endpoint_feed.watch(checked_id(request.adapter, "adapter"), self._watch_lifetime):
            yield message

    async def ApplyModels(self, request: registry_pb2.ApplyModelsRequest, context: Context) -> registry_pb2.ApplyModelsResponse:
        return registry_pb2.ApplyModelsResponse(changes=await self._registry.apply(caller().domain, request))

    async def CreateSubscription(
        self, request: registry_pb2.CreateSubscriptionRequest, context: Context
    ) -> registry_pb2.CreateSubscriptionResponse:
        subscription = await self._consent.create(request.parent, request.subscription_id, request.subscription)
        return registry_pb2.CreateSubscriptionResponse(subscription=subscription)

    async def GetSubscription(self, request: registry_pb2.GetSubscriptionRequest, context: Context) -> registry_pb2.GetSubscriptionResponse:
        return registry_pb2.GetSubscriptionResponse(subscription=await self._consent.get(request.name))

    async def ListSubscriptions(
        self, request: registry_pb2.ListSubscriptionsRequest, context: Context
    ) -> registry_pb2.ListSubscriptionsResponse:
        subscriptions, token = await self._consent.page(request.parent, page_of(request, request.parent))
        return registry_pb2.ListSubscriptionsResponse(subscriptions=subscriptions, next_page_token=token)

    async def UpdateSubscription(
        self, request: registry_pb2.UpdateSubscriptionRequest, context: Context
    ) -> registry_pb2.UpdateSubscriptionResponse:
        subscription = await self._consent.update(request.subscription, request.update_mask, request.accept)
        return registry_pb2.UpdateSubscriptionResponse(subscription=subscription)

    async def DeleteSubscription(
        self, request: registry_pb2.DeleteSubscriptionRequest, context: Context
    ) -> registry_pb2.DeleteSubscriptionResponse:
        await self._consent.delete(request.name, request.etag)
        return registry_pb2.DeleteSubscriptionResponse()

    async def ListOffers(self, request: registry_pb2.ListOffersRequest, context: Context) -> registry_pb2.ListOffersResponse:
        page = page_of(request, request.parent, request.publisher, str(request.state))
        offers, token = await self._consent.offers(request.parent, page, request.publisher, request.state)
        return registry_pb2.ListOffersResponse(offers=offers, next_page_token=token)

    async def ApplySubscriptions(
        self, request: registry_pb2.ApplySubscriptionsRequest, context: Context
    ) -> registry_pb2.ApplySubscriptionsResponse:
        changes = await self._consent.apply(request)
        return registry_pb2.ApplySubscriptionsResponse(changes=changes)

    async def GetAcceptedProduct(
        self, request: registry_pb2.GetAcceptedProductRequest, context: Context
    ) -> registry_pb2.GetAcceptedProductResponse:
        return registry_pb2.GetAcceptedProductResponse(accepted_product=await self._consent.accepted(request.domain, request.product))

    async def PutRouteOffers(self, request: registry_pb2.PutRouteOffersRequest, context: Context) -> registry_pb2.PutRouteOffersResponse:
        await self._consent.put_routes(request)
        return registry_pb2.PutRouteOffersResponse()
