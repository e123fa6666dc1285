"""How many resources a collection may have: what a tenant creates must not outgrow the process that serves all of them."""

from __future__ import annotations

from collections.abc import Mapping

from llm_mesh_runtime.errors import quota_exceeded
from llm_mesh_runtime.settings.naming import env_prefix


class Quotas:
    """The quotas of a service: by collection, what its setting `most_<collection>` says."""

    def __init__(self, service: str, limits: Mapping[str, int]) -> None:
        self._service = service
        self._limits = dict(limits)

    def __getitem__(self, collection: str) -> int:
        return self._limits[collection]

    def check(self, place: str, collection: str, count: int) -> None:
        """QUOTA_EXCEEDED where a place, such as a domain, would have so many: counted once the new ones are there."""
        limit = self._limits[collection]
        if count > limit:
            raise quota_exceeded(place, collection, limit, f"{env_prefix(self._service)}MOST_{collection.upper()}")
