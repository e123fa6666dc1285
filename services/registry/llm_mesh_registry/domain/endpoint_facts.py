"""The facts of endpoints as the servicer sees them: declared by operators, seen by whom they are open to."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.endpoints import ENDPOINT, checked_endpoint, seen_by
from llm_mesh_registry.domain.feed import Feed
from llm_mesh_registry.domain.ports import EndpointStore
from llm_mesh_runtime.errors import not_found
from llm_mesh_runtime.resources import Page

_AT_ONCE = 500


class EndpointFacts:
    """Keeps facts. `reader` is the domain that asks; empty for services."""

    def __init__(self, store: EndpointStore, feed: Feed) -> None:
        self._store = store
        self._feed = feed

    async def page(self, reader: str, page: Page) -> tuple[Sequence[registry_pb2.Endpoint], str]:
        """Endpoints that the reader may see, and the token of the next page."""
        endpoints: list[registry_pb2.Endpoint] = []
        after = page.after
        while len(endpoints) < page.limit:
            rows = await self._store.page(after, _AT_ONCE)
            endpoints += (seen for row in rows if (seen := _seen(row, reader)) is not None)
            if len(rows) < _AT_ONCE:
                break
            after = rows[-1].name
        return page.cut(endpoints[: page.limit], key=lambda endpoint: endpoint.name)

    async def get(self, reader: str, name: str) -> registry_pb2.Endpoint:
        """An endpoint by its name."""
        ENDPOINT.parse(name)
        seen = _seen(await self._store.get(name), reader)
        if seen is None:
            raise not_found(name)
        return seen

    async def put(self, endpoint: registry_pb2.Endpoint) -> registry_pb2.Endpoint:
        """Declares facts."""
        stored = await self._store.put(checked_endpoint(endpoint, "endpoint"))
        await self._feed.refresh()
        return stored

    async def delete(self, name: str, etag: str, *, force: bool = False) -> None:
        """Deletes facts, and with them the endpoint where it has a connection."""
        ENDPOINT.parse(name)
        await self._store.delete(name, etag, force=force)
        await self._feed.refresh()


def _seen(endpoint: registry_pb2.Endpoint, reader: str) -> registry_pb2.Endpoint | None:
    return seen_by(endpoint, reader) if reader else endpoint
