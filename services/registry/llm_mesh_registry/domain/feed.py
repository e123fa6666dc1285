"""What watchers are told: everything first, then each change, also that of a price that begins or ends by itself."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.ports import Products
from llm_mesh_registry.domain.prices import next_change

_MOST_PER_MESSAGE = 200


M = TypeVar("M", registry_pb2.Model, registry_pb2.Price)


@dataclass(slots=True)
class Item(Generic[M]):
    """A model or price version, and at which version of the feed it last changed."""

    version: int
    message: M


class Feed:
    """The registry's holdings in memory, versioned. A token names the process too: another one's is answered with everything."""

    def __init__(self, store: Products) -> None:
        self._store = store
        self._epoch = secrets.token_hex(4)
        self._version = 0
        self._revision = -1
        self._turns_at: int | None = None
        self._models: dict[str, Item[registry_pb2.Model]] = {}
        self._prices: dict[str, Item[registry_pb2.Price]] = {}
        self._removed: dict[str, int] = {}
        self._changed = asyncio.Condition()

    async def refresh(self, now: int | None = None) -> None:
        """Looks whether anything changed: by this instance, by another, or because time passed. `now` in microseconds."""
        due = self._turns_at is not None and now is not None and now >= self._turns_at
        if not due and await self._store.revision() == self._revision:
            return
        holdings = await self._store.everything()
        version = self._version + 1
        models = _merged(self._models, {model.name: model for model in holdings.models}, version)
        prices = _merged(self._prices, {price.name: price for price in holdings.prices}, version)
        gone = self._models.keys() - models.keys()
        self._removed.update(dict.fromkeys(gone, version))
        fresh = {item.version for item in models.values()} | {item.version for item in prices.values()}
        changed = bool(gone) or version in fresh
        self._models, self._prices, self._revision = models, prices, holdings.revision
        self._turns_at = next_change(holdings.prices, holdings.now)
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
            news, sent = self._since(sent, reset=False), self._version
            for message in news:
                yield message

    def _resumed(self, token: str) -> int | None:
        epoch, _, version = token.partition(".")
        known = epoch == self._epoch and version.isdecimal() and int(version) <= self._version
        return int(version) if known else None

    def _since(self, version: int, *, reset: bool) -> list[registry_pb2.WatchModelsResponse]:
        models = [item.message for item in self._models.values() if item.version > version]
        prices = [item.message for item in self._prices.values() if item.version > version]
        removed = [] if reset else [name for name, at in self._removed.items() if at > version and name not in self._models]
        messages = []
        for start in range(0, max(len(models), len(prices), 1), _MOST_PER_MESSAGE):
            part = slice(start, start + _MOST_PER_MESSAGE)
            messages.append(registry_pb2.WatchModelsResponse(models=models[part], prices=prices[part]))
        messages[0].reset = reset
        messages[0].removed.extend(removed)
        messages[-1].snapshot_complete = reset
        messages[-1].resume_token = f"{self._epoch}.{self._version}"
        return messages


def _merged(before: Mapping[str, Item[M]], now: Mapping[str, M], version: int) -> dict[str, Item[M]]:
    """The present messages; those that did not change keep the version at which they last did."""
    merged = {}
    for name, message in now.items():
        known = before.get(name)
        merged[name] = known if known is not None and known.message == message else Item(version, message)
    return merged
