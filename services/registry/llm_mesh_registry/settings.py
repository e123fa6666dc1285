"""What operators set for the registry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from llm_mesh_runtime.resources import Quotas
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the registry."""

    database_url: Secret = setting(
        default=Secret(""), help="Where models are kept, such as postgresql://…; embedded: a file in the data directory."
    )
    refresh: timedelta = setting(
        default=timedelta(milliseconds=500),
        help="How often an instance looks for models and endpoints that another instance changed.",
        minimum=0.1,
        maximum=60,
    )
    watch_lifetime: timedelta = setting(
        default=timedelta(minutes=10), help="After how long a watch stream ends, to be called again.", minimum=1, maximum=600
    )
    most_subscriptions: int = setting(default=1_000, help="How many subscriptions a domain may have.", minimum=1, maximum=100_000)
    most_models: int = setting(default=10_000, help="How many models a domain may have.", minimum=1, maximum=100_000)
    most_prices: int = setting(
        default=1_000, help="How many price versions a model may have; they are kept for ever.", minimum=1, maximum=100_000
    )
    most_adapters: int = setting(default=1_000, help="How many adapters there may be.", minimum=1, maximum=100_000)
    most_endpoints: int = setting(default=10_000, help="How many endpoints there may be.", minimum=1, maximum=100_000)

    @property
    def quotas(self) -> Quotas:
        """How many resources of each kind there may be."""
        collections = ("models", "prices", "adapters", "endpoints", "subscriptions")
        return Quotas("registry", {name: getattr(self, f"most_{name}") for name in collections})
