"""Whether a newcomer can use the mesh behind an edge that runs apart, as the gateway tells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.log import get_logger

PACE = 1.0
"""Seconds from one question to the next, however often `/readyz` is asked."""
_GATEWAY = "gateway"


class ReadinessSource(Protocol):
    """Tells how the services behind the edge are."""

    async def readiness(self) -> Mapping[str, bool]:
        """The conditions, by name. Raises `MeshError` where the gateway does not answer at once."""


class MeshReadiness:
    """The conditions as the gateway reported them last. Those who ask at the same time share one question."""

    def __init__(self, source: ReadinessSource, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._monotonic = monotonic
        self._conditions: Mapping[str, bool] = {}
        self._met: dict[str, bool] = {}
        """What was there once, the gateway apart. It stays fulfilled: what an operator takes away later, or a service behind the gateway
        that is down for a while, takes no edge out of service, or one outage would take out all of them."""
        self._last_question = float("-inf")
        self._question: asyncio.Task[None] | None = None

    async def conditions(self) -> Mapping[str, bool]:
        """The gateway, what it needs and what newcomers need: whether each is there. At most one second old."""
        if self._question is None and self._monotonic() - self._last_question >= PACE:
            self._last_question = self._monotonic()
            self._question = asyncio.create_task(self._ask(), name="readiness of the mesh")
        if self._question is not None:
            await asyncio.shield(self._question)
        return self._conditions

    async def _ask(self) -> None:
        try:
            conditions = {_GATEWAY: True, **await self._source.readiness()}
        except MeshError:
            conditions = {_GATEWAY: False}
        finally:
            self._question = None
        self._met |= {name: True for name, met in conditions.items() if met and name != _GATEWAY}
        before, self._conditions = self._conditions, conditions | self._met
        missing = _missing(self._conditions)
        if missing != _missing(before):
            (get_logger().warning if missing else get_logger().info)("readiness of the mesh changed", missing=missing)


def _missing(conditions: Mapping[str, bool]) -> list[str]:
    return sorted(name for name, met in conditions.items() if not met)
