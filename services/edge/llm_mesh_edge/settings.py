"""Settings of the edge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from llm_mesh_runtime.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the edge treats HTTP clients."""

    max_body: int = setting(default=32 * 1024 * 1024 - 65536, help="Bytes that a request's body may have.", minimum=1024)
    max_values: int = setting(
        default=400_000,
        help="Values that the JSON of a body may have, each of which costs more than its bytes; objects and lists count twice.",
        minimum=1_000,
        maximum=10_000_000,
    )
    upload: timedelta = setting(default=timedelta(seconds=60), help="How long the upload of a body may take.", minimum=0.01)
    uploads: int = setting(
        default=256 * 1024 * 1024,
        help="Bytes of bodies that may be under way at once in a process, shared between callers; at least twice `max_body`. What does "
        "not come with its head counts, until it is read.",
        minimum=1024 * 1024,
        maximum=64 * 1024 * 1024 * 1024,
    )
    upload_bytes: int = setting(
        default=512 * 1024 * 1024,
        help="Bytes that a file which is uploaded in a form may have; the service that keeps it has a bound of its own.",
        minimum=1024,
    )
    deadline: timedelta = setting(default=timedelta(seconds=600), help="How long an answer may take.", minimum=0.01)
    keep_alive: timedelta = setting(
        default=timedelta(seconds=15), help="How long a stream may be silent before it says that it is alive.", minimum=0.01
    )
    metrics: bool = setting(default=True, help="Whether `/metrics` is served at all.")
    metrics_access: Literal["auto", "open", "key"] = setting(
        default="auto",
        help="Who may read `/metrics` on the HTTP listener: `open` everybody, `key` credentials with the permission `metrics.get` of the "
        "platform, `auto` everybody where the listener is bound to loopback, else as `key`.",
    )
    metrics_address: str = setting(
        default="",
        help="`host:port` of a listener of its own for `/metrics`, open to whoever reaches it; the HTTP listener has none then. Workers "
        "share it.",
    )

    def __post_init__(self) -> None:
        """Refuses a share in which no caller's largest body would fit."""
        if self.uploads < 2 * self.max_body:
            raise ValueError(f"uploads must be at least twice max_body, {2 * self.max_body}")
