"""What operators set for observability."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of observability."""

    database_url: Secret = setting(
        default=Secret(""), help="Where the projection is kept, such as postgresql://…; embedded: a file in the data directory."
    )
    tail_pause: timedelta = setting(
        default=timedelta(seconds=1), help="How often a tail looks for requests that another instance took in.", minimum=0.05, maximum=60
    )
    tail_lifetime: timedelta = setting(
        default=timedelta(minutes=10), help="After how long a tail ends, to be called again.", minimum=1, maximum=600
    )
    tails: int = setting(default=256, help="Tails that may be open, shared fairly among domains and principals.", minimum=1, maximum=10_000)
    queries: int = setting(
        default=16, help="Queries of the store at once; the rest wait in turn, who has least under way first.", minimum=1, maximum=1000
    )
