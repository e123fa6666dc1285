"""What the router needs from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain.decisions import Decision
from llm_mesh_runtime.resources import Page


class RouteStore(Protocol):
    """The store of routes. Each change raises the revision."""

    async def create(self, route: router_pb2.Route) -> router_pb2.Route:
        """Keeps a new route; ALREADY_EXISTS or ALIAS_TAKEN where its name or alias is."""
        ...

    async def get(self, name: str) -> router_pb2.Route:
        """The route; NOT_FOUND where there is none."""
        ...

    async def page(self, domain: str, page: Page) -> Sequence[router_pb2.Route]:
        """Routes of a domain by name, from after `page.after`, at most `page.limit`."""
        ...

    async def update(self, route: router_pb2.Route) -> router_pb2.Route:
        """Replaces a route; ETAG_MISMATCH where its etag is another."""
        ...

    async def delete(self, name: str, etag: str) -> None:
        """Deletes a route; ETAG_MISMATCH where an etag is given and the present one is another."""
        ...

    async def apply(
        self, routes: Sequence[router_pb2.Route], masks: Mapping[str, FieldMask], *, dry_run: bool
    ) -> Sequence[resources_pb2.Change]:
        """Brings routes to a wanted state, all or none. What becomes of each of them is checked before it is written."""
        ...

    async def revision(self) -> int:
        """Which change was the last."""
        ...

    async def everything(self) -> tuple[int, Sequence[router_pb2.Route]]:
        """The revision and all routes at it."""
        ...


class DecisionStore(Protocol):
    """The store of decisions, as they are explained."""

    async def put(self, decisions: Sequence[Decision]) -> None:
        """Keeps decisions; those that are there already stay as they are."""
        ...

    async def find(self, domain: str, decision_id: str) -> router_pb2.ExplainDecisionResponse | None:
        """The decision, where it was made for that domain."""
        ...

    async def of_request(self, domain: str, request_id: str) -> router_pb2.ExplainDecisionResponse | None:
        """The newest decision of a request, where it was made for that domain."""
        ...

    async def trim(self, *, before: datetime, least: int, most: int) -> None:
        """Deletes those made before a time, except the newest `least`; and of more than `most` the oldest of the domains with the most."""
        ...


class Permissions(Protocol):
    """Knows what the caller of the present call may do."""

    async def demand(self, method: str, action: str, resource: str) -> None:
        """Return where the caller may; ACTION_DENIED where not."""
        ...
