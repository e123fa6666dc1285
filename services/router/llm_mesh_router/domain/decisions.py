"""The router's memory of its decisions, for those who ask why.

Every request leaves a decision and hardly one is ever asked for: what was looked at is kept as it was, small, and told when somebody
asks. The plan is then written once more, from the same targets and the same profile. `archive` writes decisions to the store.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from llm_mesh.router.v1 import plan_pb2, router_pb2
from llm_mesh_router.domain.eligibility import Objection, Question
from llm_mesh_router.domain.shortlists import Shortlist

KEPT_AT_LEAST = 10_000
KEPT_FOR = timedelta(hours=1)
_LEFT_OVER = Objection("attempts", "the plan has enough attempts without it")


class Look(NamedTuple):
    """One target that was looked at. Looks sort into the order in which targets are to be tried."""

    failing: bool
    priority: int
    key: float
    place: int
    """Where the route has it: no two looks of a request are equal up to here."""
    model: str
    excluded: Objection | None


class Decision:
    """One decision, whole. `looks` are in the order of trying; those of the places `tried` are in the plan."""

    __slots__ = ("_alias", "_looks", "_profile", "_shortlist", "_tried", "domain", "id", "principal", "request_id", "time")

    def __init__(self, id: str, question: Question, shortlist: Shortlist, looks: Sequence[Look], tried: Sequence[int]) -> None:  # noqa: A002
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
        told = router_pb2.ExplainDecisionResponse(
            plan=self.plan,
            candidates=self.candidates,
            profile=self.profile,
            name=f"{self.domain}/routeDecisions/{self.id}",
            request_id=self.request_id,
            principal=self.principal,
            alias=self._alias,
        )
        told.create_time.FromDatetime(self.time)
        return told

    @property
    def plan(self) -> plan_pb2.Plan | None:
        """The plan; None where no target was left."""
        if not self._tried:
            return None
        plan = plan_pb2.Plan(alias=self._alias, decision_id=self.id)
        self._shortlist.write(plan.root, self._tried, self.profile)
        return plan

    @property
    def profile(self) -> router_pb2.RequestProfile:
        """What was known of the request."""
        return router_pb2.RequestProfile.FromString(self._profile)

    @property
    def candidates(self) -> Sequence[router_pb2.Candidate]:
        """Every target: those of the plan, those that it had no room for, those that a rule excludes."""
        eligible = [look for look in self._looks if look.excluded is None]
        return [
            *(_candidate(look, None) for look in eligible[: len(self._tried)]),
            *(_candidate(look, _LEFT_OVER) for look in eligible[len(self._tried) :]),
            *(_candidate(look, look.excluded) for look in self._looks if look.excluded is not None),
        ]


def _candidate(look: Look, excluded: Objection | None) -> router_pb2.Candidate:
    shown = router_pb2.Candidate(model=look.model, priority=look.priority, score=-look.key)
    if excluded is not None:
        shown.excluded_by, shown.note = excluded.rule, excluded.words
    return shown


class Decisions:
    """The last decisions: an hour of them while they are fewer than `most`, and never fewer than the last 10,000."""

    def __init__(self, most: int) -> None:
        self.most = max(most, KEPT_AT_LEAST)
        self._kept: OrderedDict[str, Decision] = OrderedDict()
        self.unwritten: deque[Decision] = deque(maxlen=self.most)
        """Those that the store does not have yet, oldest first."""

    def keep(self, decision: Decision) -> None:
        """Remember a decision."""
        self._kept[decision.id] = decision
        self.unwritten.append(decision)
        while len(self._kept) > KEPT_AT_LEAST:
            oldest = next(iter(self._kept.values()))
            if len(self._kept) <= self.most and decision.time - oldest.time <= KEPT_FOR:
                break
            self._kept.popitem(last=False)

    def find(self, domain: str, decision_id: str) -> Decision | None:
        """The decision, where it was made for that domain."""
        decision = self._kept.get(decision_id)
        return decision if decision is not None and decision.domain == domain else None

    def of_request(self, domain: str, request_id: str) -> Decision | None:
        """The newest decision of a request, where it was made for that domain."""
        for decision in reversed(self._kept.values()):
            if decision.request_id == request_id and decision.domain == domain:
                return decision
        return None
