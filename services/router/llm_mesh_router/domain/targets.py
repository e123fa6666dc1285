"""Targets of routes: one that names a model which does not exist is refused with the nearest one that does, unless the caller allows it.

A model is looked for among those that the registry has told of, and asked for where it is not among them: it may have been made just now.
What a domain may not see is to it as what does not exist.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Protocol

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import errors_pb2, router_pb2
from llm_mesh_router.domain.errors import RouterError
from llm_mesh_router.domain.models import SHARED, Models, is_offered
from llm_mesh_runtime.resources import domain_of

_MOST_COMPARED = 2_000
"""Names that the nearest is looked for among: comparing takes some 20 µs each."""


class ModelLookup(Protocol):
    """Where models are."""

    async def model(self, name: str) -> registry_pb2.Model | None:
        """The model of a name as it is now; None where there is none."""
        ...


class Targets:
    """Looks up what routes name."""

    def __init__(self, models: Models, registry: ModelLookup) -> None:
        self._models = models
        self._registry = registry

    async def check(self, route: router_pb2.Route, field: str = "route") -> None:
        """Raises TARGET_NOT_FOUND at the first target whose model the route's domain cannot see."""
        owner = domain_of(route.name)
        for number, target in enumerate(route.targets):
            if not await self._exists(target.model, owner):
                raise await self._missing(target.model, owner, f"{field}.targets[{number}].model")

    async def _exists(self, name: str, owner: str) -> bool:
        known = self._models.get(name)
        if known is None or not _is_visible(known, owner):
            known = await self._registry.model(name)
        return known is not None and _is_visible(known, owner)

    async def _missing(self, name: str, owner: str, field: str) -> RouterError:
        names = await asyncio.to_thread(_nearest, name, self._models.visible(owner, _MOST_COMPARED))
        hint = f"; did you mean {names[0]}?" if names else ""
        failure = RouterError(errors_pb2.ERROR_REASON_TARGET_NOT_FOUND, f"{field}: there is no model {name}{hint}", field=field)
        if names:
            failure.metadata["nearest"] = names[0]
        return failure


def _is_visible(model: registry_pb2.Model, owner: str) -> bool:
    return domain_of(model.name) in {owner, SHARED} or is_offered(owner, model.shared_with)


def _nearest(name: str, names: Iterable[str]) -> list[str]:
    """The known name that is most alike, if one is."""
    return get_close_matches(name, names, n=1, cutoff=0.7)
