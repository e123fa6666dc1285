"""The registry as its servicer sees it: checks what comes, keeps it, and tells the feed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence, Sized
from functools import partial

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.endpoints import ENDPOINT, checked_endpoint
from llm_mesh_registry.domain.facts import is_operators
from llm_mesh_registry.domain.feed import Feed
from llm_mesh_registry.domain.models import ADAPTER, DOMAIN, MODEL, MUTABLE, checked_adapter, checked_model
from llm_mesh_registry.domain.ports import Products, Resource
from llm_mesh_registry.domain.prices import PRICE, checked_price
from llm_mesh_runtime.clock import Clock
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.pace import Pace
from llm_mesh_runtime.resources import Page, check_masks, checked_id, is_within, masked_update

_PLATFORM = "domains/platform"
_ALL = "domains/-"
MOST_ENTRIES = 500
"""Resources in one `ApplyModels`."""


class Registry:
    """Keeps data products. `author` is the domain on whose behalf a change is made; the platform's may do more."""

    def __init__(self, store: Products, feed: Feed, clock: Clock) -> None:
        self._store = store
        self._feed = feed
        self._clock = clock

    async def create_model(self, author: str, parent: str, model_id: str, model: registry_pb2.Model) -> registry_pb2.Model:
        """A new model of a domain."""
        DOMAIN.parse(parent, "parent")
        model.name = f"{parent}/models/{checked_id(model_id, 'model_id')}"
        self._check(model, "model", author)
        created = await self._store.create_model(model)
        await self._feed.refresh()
        return created

    async def model(self, name: str) -> registry_pb2.Model:
        """A model by its name."""
        MODEL.parse(name)
        return await self._store.model(name)

    async def models(self, parent: str, page: Page) -> tuple[Sequence[registry_pb2.Model], str]:
        """Models of a domain or of all, and the token of the next page."""
        if parent != _ALL:
            DOMAIN.parse(parent, "parent")
        models = await self._store.models("" if parent == _ALL else parent, page)
        return page.cut(models, key=lambda model: model.name)

    async def update_model(self, author: str, changed: registry_pb2.Model, mask: FieldMask) -> registry_pb2.Model:
        """Changes the masked fields of a model."""
        MODEL.parse(changed.name, "model.name")
        if not changed.etag:
            raise invalid("model.etag", "must be the etag of the model as it was read")
        present = await self._store.declared(changed.name)
        updated = masked_update(present, changed, mask, mutable=MUTABLE)
        updated.etag = changed.etag
        checked_model(updated, "model", may_be_free=_may_be_free(updated, author) or present.free)
        stored = await self._store.update_model(updated)
        await self._feed.refresh()
        return stored

    async def deprecate_model(self, name: str, retire_time: Timestamp) -> registry_pb2.Model:
        """A model stops to answer at a time in the future."""
        MODEL.parse(name)
        now = self._clock.now()
        if retire_time.ToDatetime(now.tzinfo) <= now:
            raise invalid("retire_time", "must be in the future")
        model = await self._store.declared(name)
        model.lifecycle = registry_pb2.LIFECYCLE_DEPRECATED
        model.retire_time.CopyFrom(retire_time)
        stored = await self._store.update_model(model, action="models.deprecate", claims=False)
        await self._feed.refresh()
        return stored

    async def create_price(self, parent: str, price: registry_pb2.Price) -> registry_pb2.Price:
        """A new price version of a model."""
        MODEL.parse(parent, "parent")
        created = await self._store.create_price(parent, checked_price(price, "price"))
        await self._feed.refresh()
        return created

    async def price(self, name: str) -> registry_pb2.Price:
        """A price version by its name."""
        PRICE.parse(name)
        return await self._store.price(name)

    async def prices(self, parent: str, page: Page) -> tuple[Sequence[registry_pb2.Price], str]:
        """Price versions of a model, newest first, and the token of the next page."""
        MODEL.parse(parent, "parent")
        return page.cut(await self._store.prices(parent, page), key=lambda price: price.name.rsplit("/", 1)[-1])

    async def adapters(self, page: Page) -> tuple[Sequence[registry_pb2.Adapter], str]:
        """Adapters, and the token of the next page."""
        return page.cut(await self._store.adapters(page), key=lambda adapter: adapter.name)

    async def put_adapter(self, adapter: registry_pb2.Adapter) -> registry_pb2.Adapter:
        """Registers an adapter."""
        return await self._store.put_adapter(checked_adapter(adapter, "adapter"))

    async def apply(self, author: str, request: registry_pb2.ApplyModelsRequest) -> Sequence[resources_pb2.Change]:
        """Brings models and adapters to a wanted state. Only the platform names several domains, and adapters."""
        DOMAIN.parse(request.parent, "parent")
        _check_size(request)
        await asyncio.to_thread(_check_all, request)
        changes = await self._store.apply(request, partial(_check_applied, author))
        await self._feed.refresh()
        return changes

    def _check(self, model: registry_pb2.Model, field: str, author: str) -> None:
        checked_model(model, field, may_be_free=_may_be_free(model, author))
        if model.HasField("price"):
            checked_price(model.price, f"{field}.price")


def _check_size(request: registry_pb2.ApplyModelsRequest) -> None:
    """The store is held while all is written, so only so much at a time."""
    lists: dict[str, Sized] = {"models": request.models, "adapters": request.adapters, "endpoints": request.endpoints}
    total = sum(map(len, lists.values()))
    if total > MOST_ENTRIES:
        longest = max(lists, key=lambda field: len(lists[field]))
        raise invalid(longest, f"at most {MOST_ENTRIES} resources in one call, not {total}: split them among several calls")


def _check_all(request: registry_pb2.ApplyModelsRequest) -> None:
    """What the entries say by themselves. In a thread: hundreds of models take longer than others should wait."""
    pace = Pace()
    for index, model in enumerate(request.models):
        pace.step()
        MODEL.parse(model.name, f"models[{index}].name")
        if request.parent != _PLATFORM and not is_within(model.name, request.parent):
            raise invalid(f"models[{index}].name", f"must be within {request.parent}")
        if _names_no_price(model, request.update_masks):
            raise invalid(f"models[{index}].price", "must be set: a price never goes away, but a newer one can hold instead")
    for field, pattern in (("adapters", ADAPTER), ("endpoints", ENDPOINT)):
        for index, item in enumerate(getattr(request, field)):
            if request.parent != _PLATFORM:
                raise invalid(field, f"are named by {_PLATFORM} only")
            pattern.parse(item.name, f"{field}[{index}].name")
    names = [item.name for items in (request.models, request.adapters, request.endpoints) for item in items]
    if len(set(names)) != len(names):
        raise invalid("models", "must name each resource once")
    check_masks(request.update_masks, set(names))


def _names_no_price(model: registry_pb2.Model, masks: Mapping[str, FieldMask]) -> bool:
    return model.name in masks and "price" in masks[model.name].paths and not model.HasField("price")


def _check_applied(author: str, desired: Resource, present: Resource | None, field: str) -> None:
    """Whether a resource may become what an entry makes of it."""
    if isinstance(desired, registry_pb2.Adapter):
        checked_adapter(desired, field)
    elif isinstance(desired, registry_pb2.Endpoint):
        checked_endpoint(desired, field)
    else:
        was_free = isinstance(present, registry_pb2.Model) and present.free
        checked_model(desired, field, may_be_free=_may_be_free(desired, author) or was_free)
        held = present.price if isinstance(present, registry_pb2.Model) else None
        if desired.HasField("price") and desired.price != held:
            checked_price(desired.price, f"{field}.price")


def _may_be_free(model: registry_pb2.Model, author: str) -> bool:
    """Whether who asks may call a model free as far as that is not the endpoint's operator's to say."""
    return author == _PLATFORM or not is_operators(model.name)
