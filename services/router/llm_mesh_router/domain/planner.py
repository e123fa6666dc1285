"""Planning: from an alias to the tree of attempts that the gateway must make."""

from __future__ import annotations

import random
from collections.abc import Sequence

from llm_mesh.router.v1 import errors_pb2, plan_pb2
from llm_mesh_router.domain.affinity import Affinity
from llm_mesh_router.domain.decisions import Candidate, Decision, Decisions
from llm_mesh_router.domain.eligibility import PRICE, EligibilityRequest, Objection
from llm_mesh_router.domain.errors import RouterError
from llm_mesh_router.domain.loads import Loads, outstanding
from llm_mesh_router.domain.ranking import Ranking
from llm_mesh_router.domain.resolution import UNKNOWN, Resolution
from llm_mesh_router.domain.shortlists import Shortlist, Shortlists, Target

_SHOWN_EXCLUSIONS = 10
_NAMED_EXCLUSIONS = 3
"""How many the message tells in words; the metadata has more."""


class Planner:
    """Makes plans from routes, models and how targets have done lately."""

    def __init__(self, resolution: Resolution, ranking: Ranking, loads: Loads, decisions: Decisions) -> None:
        self._shortlists = Shortlists(resolution)
        self._loads = loads
        self._ranking = ranking
        self._decisions = decisions
        self._random = random.Random()  # noqa: S311 - spreads load and names decisions, guards nothing

    def plan(self, question: EligibilityRequest, plan: plan_pb2.Plan) -> str:
        """Writes the plan of a request, and answers the id of the decision. MODEL_NOT_FOUND or NO_ELIGIBLE_TARGET where there is none."""
        try:
            shortlist = self._shortlists.of(question)
        except RouterError as refusal:
            refusal.metadata["decision_id"] = decision_id = self._fresh()
            self._decisions.keep(Decision(decision_id, question, Shortlist([], 0, None), (), ()))
            raise
        profile, now, failing = question.profile, question.now, self._ranking.failing
        domain = question.domain
        targets = shortlist.targets
        if profile.session:
            number = Affinity(domain, profile.session).number
            draws = [number(target.name) for target in targets]
        else:
            draw = self._random.random
            draws = [draw() for _ in targets]
        if self._loads:
            looks = self._looks_by_load(question, targets, draws)
            return self._written(question, plan, shortlist, looks)
        looks = [
            # Efraimidis and Spirakis, 2006: sorting by such keys draws without replacement in proportion to the weights.
            Candidate(
                failing(domain, target.name, now), target.priority, -(drawn**target.share), place, target.name, target.excluded(profile)
            )
            for place, (target, drawn) in enumerate(zip(targets, draws, strict=True))
        ]
        return self._written(question, plan, shortlist, looks)

    def _looks_by_load(self, question: EligibilityRequest, targets: Sequence[Target], draws: Sequence[float]) -> list[Candidate]:
        """Where engines report their load, each is drawn the less often the more requests it has. A session stays where it is."""
        domain, profile, now = question.domain, question.profile, question.now
        seen = [self._loads.of(target.place, now) for target in targets]
        excluded = [target.excluded(profile) for target in targets]
        eligible = [number for number, objection in enumerate(excluded) if objection is None]
        counts = dict(zip(eligible, outstanding([seen[n] for n in eligible], [targets[n].priority for n in eligible]), strict=True))
        return [
            Candidate(
                self._ranking.failing(domain, target.name, now),
                target.priority,
                -(draws[number] ** (target.share * (1 if profile.session else 1 + counts.get(number, 0)))),
                number,
                target.name,
                excluded[number],
                seen[number],
            )
            for number, target in enumerate(targets)
        ]

    def _written(self, question: EligibilityRequest, plan: plan_pb2.Plan, shortlist: Shortlist, looks: list[Candidate]) -> str:
        """Writes the plan of the looks, and keeps the decision."""
        profile = question.profile
        looks.sort()
        tried = [look.place for look in looks if look.excluded is None][: shortlist.attempts]
        decision_id = self._fresh()
        self._decisions.keep(Decision(decision_id, question, shortlist, looks, tried))
        if not tried:
            raise _nothing_left(question.alias, decision_id, looks)
        plan.alias, plan.decision_id = question.alias, decision_id
        shortlist.write(plan.root, tried, profile)
        return decision_id

    def _fresh(self) -> str:
        """The id of a decision."""
        return f"{self._random.getrandbits(64):016x}"


def _nothing_left(alias: str, decision_id: str, looks: Sequence[Candidate]) -> RouterError:
    excluded = [(look.model, look.excluded) for look in looks if look.excluded is not None and look.excluded.rule != UNKNOWN]
    reasons = "; ".join(f"{model.rpartition('/')[2]} {_note(objection)}" for model, objection in excluded[:_NAMED_EXCLUSIONS])
    unpriced = bool(excluded) and all(objection.rule == PRICE for _, objection in excluded)
    error = RouterError(
        errors_pb2.ERROR_REASON_NO_PRICE if unpriced else errors_pb2.ERROR_REASON_NO_ELIGIBLE_TARGET,
        f"no target of {alias} can take this request" + (f" ({reasons})" if reasons else ""),
        field="input.model",
        alias=alias,
        decision_id=decision_id,
    )
    error.metadata |= {f"excluded.{model}": objection.rule for model, objection in excluded[:_SHOWN_EXCLUSIONS]}
    return error


def _note(objection: Objection) -> str:
    """What is said of a model, behind its name."""
    words = objection.words
    return words if words.startswith(("cannot ", "lacks ")) else f"is excluded: {words}"
