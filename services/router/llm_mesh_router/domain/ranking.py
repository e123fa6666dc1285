"""How targets have done lately: those that keep failing stand behind the others, and none is ever ejected.

Each domain by its own requests: how a domain asks, and within which limits of its routes, must not send others elsewhere.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from llm_mesh.router.v1 import router_pb2

_STEP = 0.2
_FAILING = 0.5
_MEMORY = timedelta(seconds=30)
_MOST_TARGETS = 10_000
_CALLERS_FAULT = frozenset(
    {
        "PROVIDER_REJECTED",
        "CONTEXT_EXCEEDED",
        "PROVIDER_FILTERED",
        "FIDELITY_LOST",
        "CANCELLED",
        "UNSUPPORTED",
        "REQUEST_LOOPS",
        "ANSWERED_BEFORE",
    }
)


@dataclass(slots=True)
class Record:
    """What is remembered of one target."""

    health: float = 1.0
    """Moving share of attempts that went well, 0 to 1."""
    last_failure: datetime | None = None


class Ranking:
    """Health by domain and model. Failures that are the request's own fault count for nothing."""

    def __init__(self) -> None:
        self._records: OrderedDict[tuple[str, str], Record] = OrderedDict()

    def note(self, result: router_pb2.AttemptResult, now: datetime) -> None:
        """An attempt has ended."""
        if result.error_reason in _CALLERS_FAULT:
            return
        key = (result.domain, result.model)
        record = self._records.get(key)
        if record is None:
            record = self._records[key] = Record()
            if len(self._records) > _MOST_TARGETS:
                self._records.popitem(last=False)
        else:
            self._records.move_to_end(key)
        failed = bool(result.error_reason)
        record.health += _STEP * ((0.0 if failed else 1.0) - record.health)
        if failed:
            record.last_failure = now

    def health(self, domain: str, model: str, now: datetime) -> float:
        """How well the model does for the domain; a failure is forgiven after half a minute, so that it is tried again."""
        record = self._records.get((domain, model))
        if record is None or record.last_failure is None or now - record.last_failure > _MEMORY:
            return 1.0
        return record.health

    def failing(self, domain: str, model: str, now: datetime) -> bool:
        """Whether the model should stand behind the others in plans of the domain."""
        return self.health(domain, model, now) < _FAILING
