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
    render_processes: int = setting(
        default=2,
        help="Most child processes that render prompts. A domain has all but one of them at once, so that one is free for others.",
        minimum=1,
        maximum=64,
    )
    render_waiting: int = setting(
        default=64,
        help="Most renderings of a domain that wait for a child process; further ones are OVERLOADED.",
        minimum=1,
        maximum=10_000,
    )
    render_cpu: timedelta = setting(default=timedelta(milliseconds=250), help="Most CPU time of one rendering.", minimum=0.01, maximum=10)
    render_memory: int = setting(
        default=128 * 1024 * 1024,
        help="Most bytes of memory of one rendering, beyond what a child process needs by itself.",
        minimum=16 * 1024 * 1024,
        maximum=4 * 1024 * 1024 * 1024,
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
