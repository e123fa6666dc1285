"""Subscriptions of a file, which may accept what only the same file makes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import grpc

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_runtime.peer_errors import from_rpc_error

if TYPE_CHECKING:
    from llm_mesh_cli.apply.desired import DesiredState
    from llm_mesh_runtime.errors import PeerError

_CREATE = resources_pb2.CHANGE_ACTION_CREATE
_PRODUCT = re.compile(r"subscriptions\[(\d+)\]\.product")


class Subscribing:
    """Applies subscriptions. A dry run takes a product that does not exist yet, and that the file makes, for one that will."""

    def __init__(self, registry: registry_pb2_grpc.RegistryServiceStub, desired: DesiredState) -> None:
        self._registry = registry
        self._desired = desired

    async def __call__(
        self,
        request: registry_pb2.ApplySubscriptionsRequest,
        *,
        timeout: float,  # noqa: ASYNC109 (gRPC's own timeout)
    ) -> registry_pb2.ApplySubscriptionsResponse:
        """What changed, or would, in the order of the request."""
        attempt, places = registry_pb2.ApplySubscriptionsRequest(), list(range(len(request.subscriptions)))
        attempt.CopyFrom(request)
        changes = [resources_pb2.Change(resource=each.name, action=_CREATE) for each in request.subscriptions]
        while True:
            try:
                answer = await self._registry.ApplySubscriptions(attempt, timeout=timeout)
            except grpc.aio.AioRpcError as error:
                place = self._made_later(from_rpc_error(error), attempt)
                if place is None:
                    raise
                attempt.update_masks.pop(attempt.subscriptions[place].name, None)
                del attempt.subscriptions[place]
                del places[place]
                continue
            for place, change in zip(places, answer.changes, strict=True):
                changes[place] = change
            return registry_pb2.ApplySubscriptionsResponse(changes=changes)

    def _made_later(self, error: PeerError, attempt: registry_pb2.ApplySubscriptionsRequest) -> int | None:
        """The place of a subscription whose product does not exist yet, and that the file makes."""
        matched = _PRODUCT.fullmatch(error.field)
        if not attempt.dry_run or error.reason_name != "NOT_FOUND" or matched is None:
            return None
        place = int(matched[1])
        return place if place < len(attempt.subscriptions) and self._desired.makes(attempt.subscriptions[place].product) else None
