"""What the registry needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_runtime.resources import Page


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything that the registry knows at one revision."""

    revision: int
    models: Sequence[registry_pb2.Model]
    prices: Sequence[registry_pb2.Price]
    now: int
    """The store's time in microseconds."""


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

    async def update_model(self, model: registry_pb2.Model) -> registry_pb2.Model:
        """Replaces a model; ETAG_MISMATCH where its etag is another."""
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

    async def apply(
        self, models: Sequence[registry_pb2.Model], adapters: Sequence[registry_pb2.Adapter], *, dry_run: bool
    ) -> Sequence[resources_pb2.Change]:
        """Brings models and adapters to a wanted state, all or none."""
        ...

    async def revision(self) -> int:
        """Which change was the last."""
        ...

    async def everything(self) -> Holdings:
        """All models and prices."""
        ...
