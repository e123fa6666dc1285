"""What operators set for the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from llm_mesh_runtime.resources import Quotas
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the catalogue."""

    database_url: Secret = setting(
        default=Secret(""), help="Where prompts are kept, such as postgresql://…; embedded: a file in the data directory."
    )
    freshness: timedelta = setting(
        default=timedelta(seconds=1), help="How long labels that another instance moved may be unknown here.", minimum=0, maximum=60
    )
    most_prompts: int = setting(default=10_000, help="How many prompts a domain may have.", minimum=1, maximum=1_000_000)
    most_versions: int = setting(
        default=1_000, help="How many versions a prompt may have; they are kept for ever.", minimum=1, maximum=100_000
    )

    @property
    def quotas(self) -> Quotas:
        """How many resources of each kind there may be."""
        return Quotas("catalogue", {"prompts": self.most_prompts, "versions": self.most_versions})
