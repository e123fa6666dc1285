"""What operators set for the router."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from llm_mesh_runtime.resources import Quotas
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the router."""

    database_url: Secret = setting(
        default=Secret(""), help="Where routes and decisions are kept, such as postgresql://…; embedded: a file in the data directory."
    )
    refresh: timedelta = setting(
        default=timedelta(seconds=1), help="How often an instance looks for routes that another instance changed.", minimum=0.1, maximum=60
    )
    decisions: int = setting(
        default=20_000,
        help="How many decisions are kept for `ExplainDecision`, in memory and in the store.",
        minimum=10_000,
        maximum=1_000_000,
    )
    most_routes: int = setting(default=10_000, help="How many routes a domain may have.", minimum=1, maximum=100_000)

    @property
    def quotas(self) -> Quotas:
        """How many resources of each kind there may be."""
        return Quotas("router", {"routes": self.most_routes})
