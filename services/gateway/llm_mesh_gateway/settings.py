"""Settings of the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from llm_mesh_runtime.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the gateway carries out plans."""

    retry_ratio: float = setting(default=0.1, help="Retries that each request earns, such as 0.1 for one in ten.", minimum=0, maximum=1)
    retry_floor: float = setting(default=3.0, help="Retries per second that are always allowed.", minimum=0)
    repetitions: int = setting(
        default=2, help="How often a request is repeated on a target that failed in passing, where no other is left.", minimum=0, maximum=10
    )
    repetition_wait: timedelta = setting(
        default=timedelta(seconds=10),
        help="How long a request waits for repetitions in all. Above the edge's keep_alive streams begin before they fail.",
        minimum=0,
        maximum=45,
    )
    most_open_settlements: int = setting(
        default=10_000, help="Settlements that may wait for policy; beyond it requests are refused.", minimum=1
    )
    recorded_answer_bytes: int = setting(
        default=64 * 1024 * 1024,
        help="How much the answers take together, in bytes, that are recorded until policy keeps them; beyond it they are not kept.",
        minimum=0,
        maximum=4 * 1024**3,
    )
    late_usage: timedelta = setting(
        default=timedelta(seconds=1),
        help="How long a stream is read on whose caller left when all choices were finished, for the usage that its provider tells last. "
        "0: not at all; the charge is an estimate then.",
        minimum=0,
        maximum=10,
    )
    late_usage_bytes: int = setting(
        default=64 * 1024, help="How many bytes of such a stream are read on.", minimum=0, maximum=16 * 1024 * 1024
    )
    most_hops: int = setting(
        default=8,
        help="Meshes that a request may have passed through before it comes here; beyond it TOO_MANY_HOPS. 0: none.",
        minimum=0,
        maximum=31,
    )
    drain: timedelta = setting(default=timedelta(seconds=10), help="How long settlements may take at shutdown.", maximum=600)
    heartbeat: timedelta = setting(default=timedelta(seconds=5), help="How often policy is told that this instance lives.", minimum=0.05)
