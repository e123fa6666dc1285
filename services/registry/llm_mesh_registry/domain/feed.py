"""What watchers are told: everything first, then each change, also that of a price that begins or ends by itself."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.endpoint_feed import EndpointFeed
from llm_mesh_registry.domain.ports import Holdings, Products
from llm_mesh_registry.domain.prices import next_change
from llm_mesh_runtime.pace import Pace

_MOST_PER_MESSAGE = 200
_MOST_REMOVED = 10_000


M = TypeVar("M", registry_pb2.Model, registry_pb2.Price, registry_pb2.AcceptedProduct)


@dataclass(slots=True)
class Item(Generic[M]):
    """A model, price version or accepted product, and at which version of the feed it last changed."""

    version: int
    message: M


class Shelves(NamedTuple):
    """All that watchers are told, by name. Accepted products go by domain and product."""

    models: Mapping[str, Item[registry_pb2.Model]]
    prices: Mapping[str, Item[registry_pb2.Price]]
    accepted: Mapping[tuple[str, str], Item[registry_pb2.AcceptedProduct]]

    def fresh(self, version: int) -> bool:
        """Whether anything came at a version."""
        return any(item.version == version for shelf in self for item in shelf.values())


_EMPTY = Shelves({}, {}, {})


class Feed:
    """The registry's holdings in memory, versioned. A token names the process too: another one's is answered with everything."""

    def __init__(self, store: Products, endpoints: EndpointFeed | None = None) -> None:
        self._store = store
        self._endpoints = endpoints or EndpointFeed()
        self._epoch = secrets.token_hex(4)
        self._version = 0
        self._revision = -1
        self._turns_at: int | None = None
        self._shelves = _EMPTY
        self._removed: OrderedDict[str | tuple[str, str], int] = OrderedDict()
        """Names of models that are gone, and places of accepted products, with the version at which they went."""
        self._forgotten = 0
        """Up to which version removals are not remembered any more."""
        self._refreshing = asyncio.Lock()
        self._changed = asyncio.Condition()

    def is_due(self, now: int) -> bool:
        """Whether a price begins or ends at a time in microseconds or before, which nobody was told yet."""
        return self._turns_at is not None and now >= self._turns_at

    async def refresh(self, now: int | None = None) -> None:
        """Looks whether anything changed: by this instance, by another, or because time passed. `now` in microseconds."""
        async with self._refreshing:
            due = now is not None and self.is_due(now)
            if not due and await self._store.revision() == self._revision:
                return
            holdings = await self._store.everything()
            version, before = self._version + 1, self._shelves
            # Comparing thousands of messages takes longer than others should wait.
            shelves, changed, turns_at = await asyncio.to_thread(_compared, before, holdings, version)
            self._forget(before, shelves, version)
            self._shelves, self._revision = shelves, holdings.revision
            self._turns_at = turns_at
            await self._endpoints.put(holdings.endpoints)
            if changed or not self._version:
                async with self._changed:
                    self._version = version
                    self._changed.notify_all()

    async def watch(self, token: str, lifetime: float) -> AsyncIterator[registry_pb2.WatchModelsResponse]:
        """What is new since the token, and then each change, for `lifetime` seconds."""
        since = self._resumed(token)
        end = asyncio.get_running_loop().time() + lifetime
        sent = self._version  # before the first pause: what changes during one is sent in the next round
        for message in self._since(since or 0, reset=since is None):
            yield message
        while (left := end - asyncio.get_running_loop().time()) > 0:
            try:
                async with asyncio.timeout(left), self._changed:
                    await self._changed.wait_for(lambda: self._version > sent)  # noqa: B023 - awaited before `sent` changes
            except TimeoutError:
                return
            if sent < self._forgotten:
                return  # a reader this slow begins anew: removals that it has not heard of are forgotten
            news, sent = self._since(sent, reset=False), self._version
            for message in news:
                yield message

    def _forget(self, before: Shelves, now: Shelves, version: int) -> None:
        """Remembers what is gone, within a bound."""
        models, accepted = before.models.keys() - now.models.keys(), before.accepted.keys() - now.accepted.keys()
        names: list[str | tuple[str, str]] = [*models, *accepted]
        for gone in names:
            self._removed[gone] = version
            self._removed.move_to_end(gone)
        while len(self._removed) > _MOST_REMOVED:
            _, self._forgotten = self._removed.popitem(last=False)

    def _resumed(self, token: str) -> int | None:
        epoch, _, version = token.partition(".")
        known = epoch == self._epoch and version.isdecimal() and self._forgotten <= int(version) <= self._version
        return int(version) if known else None

    def _since(self, version: int, *, reset: bool) -> list[registry_pb2.WatchModelsResponse]:
        shelves = self._shelves
        models, prices, accepted = (
            [item.message for item in shelves.models.values() if item.version > version],
            [item.message for item in shelves.prices.values() if item.version > version],
            [item.message for item in shelves.accepted.values() if item.version > version],
        )
        messages = []
        for start in range(0, max(len(models), len(prices), len(accepted), 1), _MOST_PER_MESSAGE):
            part = slice(start, start + _MOST_PER_MESSAGE)
            message = registry_pb2.WatchModelsResponse(models=models[part], prices=prices[part], accepted_products=accepted[part])
            messages.append(message)
        messages[0].reset = reset
        if not reset:
            self._tell_removed(messages[0], version)
        messages[-1].snapshot_complete = reset
        messages[-1].resume_token = f"{self._epoch}.{self._version}"
        return messages

    def _tell_removed(self, message: registry_pb2.WatchModelsResponse, version: int) -> None:
        for gone, at in self._removed.items():
            if at <= version:
                continue
            if isinstance(gone, str):
                if gone not in self._shelves.models:
                    message.removed.append(gone)
            elif gone not in self._shelves.accepted:
                message.removed_accepted_products.add(domain=gone[0], product=gone[1])


def _compared(before: Shelves, holdings: Holdings, version: int) -> tuple[Shelves, bool, int | None]:
    """The present holdings, whether they differ from those before, and when a price begins or ends next."""
    now = Shelves(
        _merged(before.models, {model.name: model for model in holdings.models}, version),
        _merged(before.prices, {price.name: price for price in holdings.prices}, version),
        _merged(before.accepted, {(one.domain, one.product): one for one in holdings.accepted}, version),
    )
    gone = before.models.keys() - now.models.keys() or before.accepted.keys() - now.accepted.keys()
    return now, bool(gone) or now.fresh(version), next_change(holdings.prices, holdings.now)


K = TypeVar("K")


def _merged(before: Mapping[K, Item[M]], now: Mapping[K, M], version: int) -> dict[K, Item[M]]:
    """The present messages; those that did not change keep the version at which they last did."""
    merged, pace = {}, Pace()
    for name, message in now.items():
        pace.step()
        known = before.get(name)
        merged[name] = known if known is not None and known.message == message else Item(version, message)
    return merged
