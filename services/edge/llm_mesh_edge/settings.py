"""Settings of the edge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from llm_mesh_runtime.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the edge treats HTTP clients."""

    max_body: int = setting(default=32 * 1024 * 1024 - 65536, help="Bytes that a request's body may have.", minimum=1024)
    upload: timedelta = setting(default=timedelta(seconds=60), help="How long the upload of a body may take.", minimum=0.01)
    deadline: timedelta = setting(default=timedelta(seconds=600), help="How long an answer may take.", minimum=0.01)
    keep_alive: timedelta = setting(
        default=timedelta(seconds=15), help="How long a stream may be silent before it says that it is alive.", minimum=0.01
    )
    metrics: bool = setting(default=True, help="Whether `/metrics` is served on the HTTP listener.")
