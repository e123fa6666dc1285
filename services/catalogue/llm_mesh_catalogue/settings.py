"""What operators set for the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

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
