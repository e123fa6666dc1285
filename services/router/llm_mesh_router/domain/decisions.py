"""The router's memory of its decisions, for those who ask why.

Every request leaves a decision and hardly one is ever asked for: what was looked at is kept as it was, small, and told when somebody
asks. The plan is then written once more, from the same targets and the same profile. `archive` writes decisions to the store.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain.eligibility import EligibilityRequest, Objection
from llm_mesh_router.domain.loads import SeenLoad
from llm_mesh_router.domain.shortlists import Shortlist

KEPT_AT_LEAST = 10_000
KEPT_FOR = timedelta(hours=1)
_LEFT_OVER = Objection("attempts", "the plan has enough attempts without it")


class Candidate(NamedTuple):
    """One target that was looked at. Looks sort into the order in which targets are to be tried."""

    failing: bool
    priority: int
    key: float
    place: int
    """Where the route has it: no two looks of a request are equal up to here."""
    model: str
    excluded: Objection | None
    seen: SeenLoad | None = None
    """How busy its endpoint was, where that had been reported."""


class Decision:
    """One decision, whole. `looks` are in the order of trying; those of the places `tried` are in the plan."""

    __slots__ = ("_alias", "_looks", "_profile", "_shortlist", "_tried", "domain", "id", "principal", "request_id", "time")

    def __init__(
        self,
        id: str,  # noqa: A002
        question: EligibilityRequest,
        shortlist: Shortlist,
        looks: Sequence[Candidate],
        tried: Sequence[int],
    ) -> None:
        self.id = id
        self.domain = question.domain
        self.principal = question.admission.caller.principal
        self.request_id = question.request_id
        self.time: datetime = question.now
        self._alias = question.alias
        self._shortlist = shortlist
        self._looks = looks
        self._tried = tried
        self._profile = question.profile.SerializeToString()  # bytes: a message would hold on to the whole request that it came in

    @property
    def explanation(self) -> router_pb2.ExplainDecisionResponse:
        """All of it, as it is told and stored."""
        explanation = router_pb2.ExplainDecisionResponse(
            name=f"{self.domain}/routeDecisions/{self.id}",
            request_id=self.request_id,
            principal=self.principal,
            alias=self._alias,
        )
        # Each part is written where it stays: every decision is stored, and messages made apart would be packed and parsed once more.
        explanation.profile.MergeFromString(self._profile)
        if self._tried:
            explanation.plan.alias, explanation.plan.decision_id = self._alias, self.id
            self._shortlist.write(explanation.plan.root, self._tried, explanation.profile)
        self._write_candidates(explanation)
        # By hand: protobuf's own conversion, for all cases, costs as much as the plan.
        explanation.create_time.seconds, explanation.create_time.nanos = int(self.time.timestamp()), self.time.microsecond * 1000
        return explanation

    def _write_candidates(self, explanation: router_pb2.ExplainDecisionResponse) -> None:
        """Every target: those of the plan, those that it had no room for, those that a rule excludes."""
        eligible = [look for look in self._looks if look.excluded is None]
        for number, look in enumerate(eligible):
            _write_candidate(explanation, look, None if number < len(self._tried) else _LEFT_OVER)
        for look in self._looks:
            if look.excluded is not None:
                _write_candidate(explanation, look, look.excluded)


def _write_candidate(explanation: router_pb2.ExplainDecisionResponse, look: Candidate, excluded: Objection | None) -> None:
    shown = explanation.candidates.add(model=look.model, priority=look.priority, score=-look.key)
    if excluded is not None:
        shown.excluded_by, shown.note = excluded.rule, excluded.words
    if look.seen is not None:
        shown.load.CopyFrom(look.seen.load)
        shown.cached_blocks = look.seen.cached_blocks


class Decisions:
    """The last decisions: an hour of them while they are fewer than `most`, and never fewer than the last 10,000."""

    def __init__(self, most: int) -> None:
        self.most = max(most, KEPT_AT_LEAST)
        self._decisions: OrderedDict[str, Decision] = OrderedDict()
        self.unwritten: deque[Decision] = deque(maxlen=self.most)
        """Those that the store does not have yet, oldest first."""

    def keep(self, decision: Decision) -> None:
        """Remember a decision."""
        self._decisions[decision.id] = decision
        self.unwritten.append(decision)
        while len(self._decisions) > KEPT_AT_LEAST:
            oldest = next(iter(self._decisions.values()))
            if len(self._decisions) <= self.most and decision.time - oldest.time <= KEPT_FOR:
                break
            self._decisions.popitem(last=False)

    def find(self, domain: str, decision_id: str) -> Decision | None:
        """The decision, where it was made for that domain."""
        decision = self._decisions.get(decision_id)
        return decision if decision is not None and decision.domain == domain else None

    def of_request(self, domain: str, request_id: str) -> Decision | None:
        """The newest decision of a request, where it was made for that domain."""
        for decision in reversed(self._decisions.values()):
            if decision.request_id == request_id and decision.domain == domain:
                return decision
        return None
