"""The router's memory of its decisions, for those who ask why."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from llm_mesh.router.v1 import plan_pb2, router_pb2

_KEPT_AT_LEAST = 10_000
_KEPT_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, whole."""

    id: str
    domain: str
    plan: plan_pb2.Plan | None
    candidates: tuple[router_pb2.Candidate, ...]
    profile: router_pb2.RequestProfile
    time: datetime


class Decisions:
    """The last decisions: an hour of them while they are fewer than `most`, and never fewer than the last 10,000."""

    def __init__(self, most: int) -> None:
        self._most = max(most, _KEPT_AT_LEAST)
        self._kept: OrderedDict[str, Decision] = OrderedDict()

    def keep(self, decision: Decision) -> None:
        """Remember a decision."""
        self._kept[decision.id] = decision
        while len(self._kept) > _KEPT_AT_LEAST:
            oldest = next(iter(self._kept.values()))
            if len(self._kept) <= self._most and decision.time - oldest.time <= _KEPT_FOR:
                break
            self._kept.popitem(last=False)

    def find(self, domain: str, decision_id: str) -> Decision | None:
        """The decision, where it was made for that domain."""
        decision = self._kept.get(decision_id)
        return decision if decision is not None and decision.domain == domain else None
