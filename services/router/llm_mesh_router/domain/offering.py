"""Tells the registry which routes are offered to other domains, so that these can accept them."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Sequence
from typing import Protocol

from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain.routes import RouteBook
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.refresh import repeat

_PER_CALL = 500
_AGAIN_AFTER = 30.0


class RouteOffers(Protocol):
    """Who keeps offers: the registry."""

    async def put(self, routes: Sequence[router_pb2.Route], after: str, through: str) -> None:
        """These are all offered routes of a range of names."""
        ...


class Offering:
    """Tells after each change, and now and then everything again, so that nothing is lost while the registry is away."""

    def __init__(self, book: RouteBook, offers: RouteOffers) -> None:
        self._book = book
        self._offers = offers
        self._sent_revision = -1
        self._failing = False
        self._telling = asyncio.Lock()

    async def tell(self, *, again: bool = False) -> None:
        """Tells what is offered, where that has changed since or `again`. A failure is logged; `run` repeats it."""
        async with self._telling:
            revision = self._book.revision
            if revision == self._sent_revision and not again:
                return
            try:
                await self._tell(self._book.offered())
            except MeshError as error:
                if not self._failing:
                    get_logger().warning("the registry does not know yet which routes are offered", error=str(error))
                self._failing, self._sent_revision = True, -1
            else:
                self._failing, self._sent_revision = False, revision

    async def run(self, pause: float) -> None:
        """Tells until cancelled."""
        rounds = itertools.count()
        per_repetition = max(1, math.ceil(_AGAIN_AFTER / pause))
        await repeat(lambda: self.tell(again=next(rounds) % per_repetition == 0), pause)

    async def _tell(self, routes: Sequence[router_pb2.Route]) -> None:
        after = ""
        for start in range(0, max(len(routes), 1), _PER_CALL):
            part = routes[start : start + _PER_CALL]
            through = part[-1].name if start + _PER_CALL < len(routes) else ""
            await self._offers.put(part, after, through)
            after = through
