"""Keeps this instance's reservations alive: one heartbeat every five seconds, under an epoch of this start alone.

In a data directory of its own an instance knows which epochs came before, and that they have ended: policy then settles what they
left behind at once, instead of waiting until their leases run out.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_gateway.domain.ports import Epochs, ReservationLedger
from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.tasks import TaskSet

_EVERY = 5.0
_AGAIN = 0.2
_LAST_DELAY = 2.0
"""Well below the 15 s or more that a lease lasts without heartbeats."""


class Lease:
    """The epoch of this start, and its heartbeat."""

    def __init__(self, ledger: ReservationLedger, epochs: Epochs, *, instance: str, every: float = _EVERY, again: float = _AGAIN) -> None:
        self._ledger = ledger
        self._epochs = epochs
        self._instance = instance
        self._every = every
        self._again = again
        self._tasks = TaskSet()
        self._known = False
        self.epoch = secrets.token_hex(16)

    async def start(self) -> None:
        """Begin to beat."""
        earlier = self._epochs.begun(self.epoch)
        self._tasks.spawn(self._beat(earlier), name="heartbeat")

    async def close(self, *, settled: bool) -> None:
        """Say that the instance ends. Without everything settled the lease is left to run out by itself."""
        await self._tasks.close()
        if settled and self._known:
            try:
                await self._ledger.heartbeat(self._message(closing=True))
            except MeshError as failure:
                get_logger().warning("policy does not know that this gateway ends", reason=failure.reason_name)

    async def _beat(self, earlier: Sequence[str]) -> None:
        waiting = [*earlier] or [""]
        backoff = Backoff(self._again, _LAST_DELAY)
        while True:
            try:
                await self._ledger.heartbeat(self._message(replaces=waiting[0]))
            except MeshError as failure:
                get_logger().warning("heartbeat failed", reason=failure.reason_name)
                await backoff.wait()
                continue
            self._known = True
            backoff.reset()
            if waiting[0]:
                waiting = waiting[1:] or [""]
                if not waiting[0]:
                    self._epochs.replaced(self.epoch)
            if not waiting[0]:
                await asyncio.sleep(self._every)

    def _message(self, *, replaces: str = "", closing: bool = False) -> policy_pb2.HeartbeatRequest:
        return policy_pb2.HeartbeatRequest(epoch=self.epoch, instance=self._instance, closing=closing, replaces_epoch=replaces)
