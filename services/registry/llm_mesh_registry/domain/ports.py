"""What the registry needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_runtime.resources import Page

Resource = registry_pb2.Model | registry_pb2.Adapter | registry_pb2.Endpoint
Check = Callable[[Resource, Resource | None, str], None]
"""Refuses what a resource would become, with what it is now and the field of the request that it is about."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything that the registry knows at one revision."""

    revision: int
    models: Sequence[registry_pb2.Model]
    prices: Sequence[registry_pb2.Price]
    accepted: Sequence[registry_pb2.AcceptedProduct]
    """What domains accepted of each other, as far as it is still offered."""
    now: int
    """The store's time in microseconds."""
    endpoints: Sequence[registry_pb2.Endpoint] = ()


class Products(Protocol):
    """The store of models, prices and adapters. Models come with the price that holds; each change raises the revision."""

    async def create_model(self, model: registry_pb2.Model) -> registry_pb2.Model:
        """Keeps a new model, with its first price where it has one; ALREADY_EXISTS or ALIAS_TAKEN."""
        ...

    async def model(self, name: str) -> registry_pb2.Model:
        """The model; NOT_FOUND where there is none."""
        ...

    async def models(self, domain: str, page: Page) -> Sequence[registry_pb2.Model]:
        """Models of a domain, or of all where it is empty, by name."""
        ...

    async def declared(self, name: str) -> registry_pb2.Model:
        """The model as its domain wrote it; NOT_FOUND where there is none."""
        ...

    async def update_model(self, model: registry_pb2.Model, *, action: str = ..., claims: bool = ...) -> registry_pb2.Model:
        """Replaces a model; ETAG_MISMATCH where its etag is another. `action` is the one that is recorded.

        ESCALATION_DENIED where it claims more than its endpoint declares, unless `claims` is false: nothing that it claims is new.
        """
        ...

    async def create_price(self, model: str, price: registry_pb2.Price) -> registry_pb2.Price:
        """Adds a price version; PRICE_ORDER where it may not begin then."""
        ...

    async def price(self, name: str) -> registry_pb2.Price:
        """The price version; NOT_FOUND where there is none."""
        ...

    async def prices(self, model: str, page: Page) -> Sequence[registry_pb2.Price]:
        """Price versions of a model, newest first; the page's key is the inverted number."""
        ...

    async def adapters(self, page: Page) -> Sequence[registry_pb2.Adapter]:
        """Adapters by name."""
        ...

    async def put_adapter(self, adapter: registry_pb2.Adapter) -> registry_pb2.Adapter:
        """Keeps an adapter's entry."""
        ...

    async def apply(self, request: registry_pb2.ApplyModelsRequest, check: Check) -> Sequence[resources_pb2.Change]:
        """Brings endpoints, models and adapters to a wanted state, all or none. Changes are in this order: models, adapters, endpoints.

        What becomes of each of them is checked before it is written.
        """
        ...

    async def revision(self) -> int:
        """Which change was the last."""
        ...

    async def everything(self) -> Holdings:
        """All models, prices and accepted products."""
        ...


class EndpointStore(Protocol):
    """The store of the facts of endpoints. Each change raises the revision, since models are in effect by them."""

    async def page(self, after: str, limit: int) -> Sequence[registry_pb2.Endpoint]:
        """Endpoints whose name comes after `after`, by name."""
        ...

    async def get(self, name: str) -> registry_pb2.Endpoint:
        """The endpoint; NOT_FOUND where it has no facts."""
        ...

    async def put(self, endpoint: registry_pb2.Endpoint) -> registry_pb2.Endpoint:
        """Declares or replaces facts; ETAG_MISMATCH where an etag is given and the present one is another."""
        ...

    async def delete(self, name: str, etag: str, *, force: bool) -> None:
        """Deletes the facts; NOT_FOUND, or ETAG_MISMATCH likewise; ENDPOINT_IN_USE where it has a connection and models that use it."""
        ...


class Subscriptions(Protocol):
    """The store of subscriptions and of what was accepted with them."""

    async def create(self, subscription: registry_pb2.Subscription) -> registry_pb2.Subscription:
        """Keeps a new subscription, and accepts what is offered now; NOT_FOUND where its product is not offered."""
        ...

    async def get(self, name: str) -> registry_pb2.Subscription:
        """The subscription; NOT_FOUND where there is none."""
        ...

    async def page(self, domain: str, page: Page) -> Sequence[registry_pb2.Subscription]:
        """Subscriptions of a domain, or of all where it is empty, by name."""
        ...

    async def update(
        self, name: str, etag: str, alias: str | None, accept: Sequence[registry_pb2.ProductVersion]
    ) -> registry_pb2.Subscription:
        """Changes the alias where it is not None, and accepts versions; ETAG_MISMATCH where another is offered by now."""
        ...

    async def delete(self, name: str, etag: str) -> None:
        """Deletes a subscription; ETAG_MISMATCH where an etag is given and the present one is another."""
        ...

    async def apply(
        self, desired: Sequence[registry_pb2.Subscription], masks: Mapping[str, FieldMask], *, dry_run: bool
    ) -> Sequence[resources_pb2.Change]:
        """Brings subscriptions to a wanted state, all or none."""
        ...


class Offers(Protocol):
    """What domains offer to each other."""

    async def page(self, domain: str, page: Page, publisher: str, state: registry_pb2.OfferState) -> Sequence[registry_pb2.Offer]:
        """Offers to a domain, or to any where it is empty, by product."""
        ...

    async def accepted(self, domain: str, product: str) -> registry_pb2.AcceptedProduct | None:
        """What a domain accepted of a product, while it is offered."""
        ...

    async def put_routes(self, routes: Sequence[router_pb2.Route], after: str, through: str) -> bool:
        """Replaces the offered routes of a range of names; answers whether that changed anything."""
        ...

    async def accept_new(self) -> None:
        """Accepts for subscriptions by publisher what is offered and usable now, and was not when it was written."""
        ...

    async def not_accepted_once(self) -> Sequence[str]:
        """Offers that nobody accepted, the first time that this is asked for; nothing afterwards."""
        ...
