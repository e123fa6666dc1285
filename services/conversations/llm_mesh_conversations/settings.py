"""What operators set for conversations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from llm_mesh_runtime.resources import Quotas
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.service_secret import weakness
from llm_mesh_runtime.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of conversations."""

    database_url: Secret = setting(
        default=Secret(""), help="Where content is stored, such as postgresql://…; embedded: a file in the data directory."
    )
    content_secret: Secret = setting(
        default=Secret(""),
        help="Secret that content is sealed and ids are proven with, not in the database, the same for all instances. "
        "Embedded: a file in the data directory.",
        check=weakness,
    )
    retention_days: int = setting(
        default=30, help="Days for which projects store content that have no retention of their own. 0: nothing.", minimum=0, maximum=3650
    )
    most_responses: int = setting(default=10_000, help="How many responses a project may store.", minimum=1, maximum=1_000_000)
    most_conversations: int = setting(default=10_000, help="How many conversations a project may store.", minimum=1, maximum=1_000_000)
    most_items: int = setting(default=4_000, help="How many items a conversation may have.", minimum=20, maximum=100_000)
    most_bytes: int = setting(default=1024**3, help="How many bytes a project may store, sealed.", minimum=1024 * 1024, maximum=1024**4)
    most_response_bytes: int = setting(
        default=8 * 1024 * 1024,
        help="How many bytes of events an answer may have that is stored.",
        minimum=64 * 1024,
        maximum=16 * 1024 * 1024,
    )
    most_history_bytes: int = setting(
        default=16 * 1024 * 1024,
        help="How many bytes of earlier items a request may continue.",
        minimum=64 * 1024,
        maximum=24 * 1024 * 1024,
    )
    most_chained_responses: int = setting(
        default=512, help="How many earlier responses a request may continue through `previous_response`.", minimum=1, maximum=4_096
    )
    most_background_runs: int = setting(
        default=256,
        help="How many responses one instance runs in the background. A domain has most of them while nobody else needs them.",
        minimum=1,
        maximum=10_000,
    )
    background_limit: timedelta = setting(
        default=timedelta(hours=1), help="How long a response may run in the background.", minimum=1, maximum=86_400
    )

    @property
    def quotas(self) -> Quotas:
        """How much a project may store."""
        collections = ("responses", "conversations", "items", "bytes")
        return Quotas("conversations", {name: getattr(self, f"most_{name}") for name in collections})
