"""Whether a failed attempt is repeated on the same target, and how long the gateway waits before. See ADR 28.

The rule is a function: time, chance and budget come from outside. It holds where a plan has no other target left and nothing of an
answer has been released.
"""

from __future__ import annotations

from typing import NamedTuple

from llm_mesh_runtime.backoff import step
from llm_mesh_runtime.errors import MeshError

_PASSING = frozenset({"PROVIDER_RATE_LIMITED", "PROVIDER_ERROR", "PROVIDER_UNREACHABLE", "PROVIDER_RESET"})
_FIRST_STEP = 0.5
_LONGEST_STEP = 8.0
_ROOM = 0.1
"""What must be left of the caller's time after a wait: less is no time for an answer."""
USUAL_DELAY = 1.0
"""What a caller is told to wait where the provider does not say."""


class RetryBounds(NamedTuple):
    """What one request may repeat and wait, at most."""

    repetitions: int = 2
    wait: float = 10.0
    """Seconds of waiting, all repetitions together."""


class Spent(NamedTuple):
    """What one request has repeated and waited."""

    repetitions: int = 0
    waited: float = 0.0


def passes(failure: MeshError) -> bool:
    """Whether a provider that fails so may answer the same request a moment later."""
    known = failure.domain == "adapter.llm-mesh" and failure.reason_name in _PASSING
    return known and failure.metadata.get("quota") != "exhausted"


def delay_before(failure: MeshError, spent: Spent, bounds: RetryBounds, remaining: float | None, chance: float) -> float | None:
    """Seconds to wait before the attempt is repeated; None: it is not.

    Never earlier than the provider says, and never so late that no time is left (`remaining`: the caller's, None where it has no
    end). Beyond that the delay is `chance` (0 to 1) of a step that doubles each time: full jitter.
    """
    if not passes(failure) or spent.repetitions >= bounds.repetitions:
        return None
    latest = bounds.wait - spent.waited
    if remaining is not None:
        latest = min(latest, remaining - _ROOM)
    earliest = failure.retry_after or 0.0
    if earliest > latest or latest < 0:
        return None
    return min(earliest + chance * step(_FIRST_STEP, _LONGEST_STEP, spent.repetitions), latest)
