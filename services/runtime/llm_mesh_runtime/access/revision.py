"""Follows policy's revision, so that a revoked key or role ends at once where policy is reachable.

While the stream is down for longer than a second nothing cached counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from llm_mesh_runtime.refresh import follow

if TYPE_CHECKING:
    from llm_mesh.policy.v1.policy_pb2_grpc import PolicyServiceStub

_GRACE = 1.0
_MAX_AGE = 900.0


class Revisions:
    """What is known of policy's revision."""

    def __init__(self) -> None:
        self.generation = 0
        self._newest = 0
        self._following = False
        self._lost_at = time.monotonic()

    def current(self, revision: int) -> bool:
        """Whether a decision by `revision` may still be used."""
        if revision < self._newest:
            return False
        return self._following or time.monotonic() - self._lost_at <= _GRACE

    def seen(self, revision: int) -> None:
        """Policy is at this revision: older decisions end, and answers under way are not kept."""
        self._following = True
        if revision != self._newest:
            self._newest = revision
            self.generation += 1

    def lost(self) -> None:
        """The stream broke."""
        if self._following:
            self._following = False
            self._lost_at = time.monotonic()

    async def follow(self, policy: Callable[[], PolicyServiceStub]) -> None:
        """Read the stream for ever."""
        from llm_mesh.policy.v1 import policy_pb2  # noqa: PLC0415 - a service without public methods never loads it

        await follow(
            lambda: policy().WatchRevision(policy_pb2.WatchRevisionRequest(), timeout=_MAX_AGE),
            lambda answer: self.seen(answer.revision),
            lost=self.lost,
            name="policy.WatchRevision",
        )
