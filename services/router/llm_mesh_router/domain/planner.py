"""Planning: from an alias to the tree of attempts that the gateway must make."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import errors_pb2, plan_pb2, router_pb2
from llm_mesh_router.domain.decisions import Decision, Decisions
from llm_mesh_router.domain.eligibility import Objection, Question, objection
from llm_mesh_router.domain.errors import RouterError
from llm_mesh_router.domain.models import Models
from llm_mesh_router.domain.ranking import Ranking
from llm_mesh_router.domain.routes import RouteBook

_DEFAULT_ATTEMPTS = 3
_SHOWN_EXCLUSIONS = 10


@dataclass(frozen=True, slots=True)
class Target:
    """One target that was looked at. `order` sorts targets, the first to try first."""

    name: str
    model: registry_pb2.Model | None
    priority: int
    order: tuple[bool, int, float]
    excluded: Objection | None

    def candidate(self, *, left_over: bool) -> router_pb2.Candidate:
        """The target as `ExplainDecision` shows it."""
        excluded = self.excluded or (Objection("attempts", "the plan has enough attempts without it") if left_over else None)
        shown = router_pb2.Candidate(model=self.name, priority=self.priority, score=-self.order[2])
        if excluded is not None:
            shown.excluded_by, shown.note = excluded.rule, excluded.note
        return shown


class Planner:
    """Makes plans from routes, models and how targets have done lately."""

    def __init__(self, models: Models, routes: RouteBook, ranking: Ranking, decisions: Decisions) -> None:
        self._models = models
        self._routes = routes
        self._ranking = ranking
        self._decisions = decisions
        self._random = random.Random()  # noqa: S311 - spreads load and names decisions, guards nothing

    def plan(self, question: Question) -> plan_pb2.Plan:
        """The plan of a request. MODEL_NOT_FOUND or NO_ELIGIBLE_TARGET where there is none."""
        alias = question.admission.alias
        route = self._resolve(alias, question.domain)
        targets = sorted((self._look(target, question) for target in route.targets), key=lambda target: target.order)
        eligible = [target for target in targets if target.excluded is None]
        tried = eligible[: route.max_attempts or _DEFAULT_ATTEMPTS]
        decision_id = f"{self._random.getrandbits(64):016x}"
        plan = self._tree(alias, decision_id, tried, route, question) if tried else None
        candidates = (
            *(target.candidate(left_over=False) for target in tried),
            *(target.candidate(left_over=True) for target in eligible[len(tried) :]),
            *(target.candidate(left_over=False) for target in targets if target.excluded is not None),
        )
        self._decisions.keep(Decision(decision_id, question.domain, plan, candidates, question.profile, question.now))
        if plan is None:
            raise _nothing_left(alias, decision_id, targets)
        return plan

    def _resolve(self, alias: str, domain: str) -> router_pb2.Route:
        """What the alias means: the domain's own route or model before those that are shared with it."""
        own, shared = self._routes.of_alias(alias, domain)
        if own is not None:
            return own
        model = self._models.of_alias(alias, domain)
        if shared is not None and (model is None or not model.name.startswith(domain + "/")):
            return shared
        if model is None:
            raise RouterError(errors_pb2.ERROR_REASON_MODEL_NOT_FOUND, f"there is no model {alias}", field="input.model", alias=alias)
        return router_pb2.Route(alias=alias, targets=[router_pb2.RouteTarget(model=model.name)])

    def _look(self, target: router_pb2.RouteTarget, question: Question) -> Target:
        model = self._models.get(target.model)
        excluded = Objection("unknown_model") if model is None else objection(model, question)
        # Efraimidis and Spirakis, 2006: sorting by such keys draws without replacement in proportion to the weights.
        key = -(self._random.random() ** (1.0 / (target.weight or 1)))
        order = (self._ranking.failing(target.model, question.now), target.priority, key)
        return Target(target.model, model, target.priority, order, excluded)

    def _tree(self, alias: str, decision_id: str, tried: Sequence[Target], route: router_pb2.Route, question: Question) -> plan_pb2.Plan:
        limits = route.limits if route.HasField("limits") else None
        nodes = [
            plan_pb2.PlanNode(attempt=_attempt(f"a{number}", target.model, limits, question))
            for number, target in enumerate(tried, start=1)
            if target.model is not None
        ]
        root = nodes[0] if len(nodes) == 1 else plan_pb2.PlanNode(failover=plan_pb2.Failover(children=nodes))
        return plan_pb2.Plan(root=root, alias=alias, decision_id=decision_id)


def _attempt(attempt_id: str, model: registry_pb2.Model, limits: plan_pb2.AttemptLimits | None, question: Question) -> plan_pb2.Attempt:
    profile = question.profile
    most_input = profile.input_bytes + profile.images * model.image_tokens
    if model.context_window:
        most_input = min(most_input, model.context_window)
    return plan_pb2.Attempt(
        id=attempt_id,
        adapter=model.adapter,
        endpoint=model.endpoint,
        upstream_model=model.upstream_model,
        model=model.name,
        price="" if model.free else model.price.name,
        credential=model.credential,
        region=model.region,
        limits=limits,
        max_output_tokens=_most_output(model, question),
        max_input_tokens=most_input,
        dialect=model.dialect or model.adapter,
        model_output_limit=model.max_output_tokens,
        image_tokens=model.image_tokens if profile.images else 0,
    )


def _most_output(model: registry_pb2.Model, question: Question) -> int:
    """The least of what is asked for, what policy allows and what the model can; nothing for embeddings."""
    if question.admission.operation == "embed":
        return 0
    bounds = (question.profile.max_output_tokens, question.admission.constraints.max_output_tokens, model.max_output_tokens)
    return min(bound for bound in bounds if bound > 0)


def _nothing_left(alias: str, decision_id: str, targets: Sequence[Target]) -> RouterError:
    visible = [target for target in targets if target.excluded is not None and target.excluded.rule != "unknown_model"]
    error = RouterError(
        errors_pb2.ERROR_REASON_NO_ELIGIBLE_TARGET,
        f"no target of {alias} can take this request",
        field="input.model",
        alias=alias,
        decision_id=decision_id,
    )
    error.metadata |= {f"excluded.{target.name}": target.excluded.rule for target in visible[:_SHOWN_EXCLUSIONS] if target.excluded}
    return error
