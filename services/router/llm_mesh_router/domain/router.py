"""The router as its servicers see it: admissions in, plans out; routes kept, and shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import errors_pb2, plan_pb2, router_pb2
from llm_mesh_router.domain.decisions import Decision, Decisions
from llm_mesh_router.domain.eligibility import Question, lifecycle
from llm_mesh_router.domain.errors import RouterError
from llm_mesh_router.domain.models import Models, may_see, owner_of
from llm_mesh_router.domain.planner import Planner
from llm_mesh_router.domain.ranking import Ranking
from llm_mesh_router.domain.routes import RouteBook
from llm_mesh_runtime.clock import Clock
from llm_mesh_runtime.errors import invalid, invalid_seal
from llm_mesh_runtime.resources import NamePattern
from llm_mesh_runtime.seals import Seals

_AUDIENCE = "router"
_ADMISSION: str = admission_pb2.Admission.DESCRIPTOR.full_name
_DECISION = NamePattern("domains/{domain}/routeDecisions/{decision}")


class Router:
    """Plans by the admission alone: nothing else says whose request it is or what it must keep to."""

    def __init__(self, models: Models, routes: RouteBook, ranking: Ranking, decisions: Decisions, seals: Seals, clock: Clock) -> None:
        self._models = models
        self._routes = routes
        self._ranking = ranking
        self._decisions = decisions
        self._planner = Planner(models, routes, ranking, decisions)
        self._seals = seals
        self._clock = clock

    def plan(self, sealed: resources_pb2.Sealed, profile: router_pb2.RequestProfile, plan: plan_pb2.Plan) -> str:
        """Writes the plan of an admitted request, and answers the id of the decision."""
        now = self._clock.now()
        admission = admission_pb2.Admission.FromString(self._seals.opened(_AUDIENCE, _ADMISSION, sealed, what="admission"))
        expires = admission.expire_time
        if expires.seconds + expires.nanos / 1e9 <= now.timestamp():
            raise invalid_seal("admission, which has expired,")
        question = Question(admission, profile, now)
        if question.constraints.max_output_tokens <= 0 and admission.operation != "embed":
            raise invalid("admission.constraints.max_output_tokens", "must be over zero")
        return self._planner.plan(question, plan)

    def note(self, results: Iterable[router_pb2.AttemptResult]) -> None:
        """Attempts have ended."""
        now = self._clock.now()
        for result in results:
            self._ranking.note(result, now)

    def decision(self, name: str) -> Decision:
        """A decision by its name; DECISION_NOT_FOUND where there is none for that domain."""
        domain, decision_id = _DECISION.parse(name)
        found = self._decisions.find(f"domains/{domain}", decision_id)
        if found is None:
            raise RouterError(errors_pb2.ERROR_REASON_DECISION_NOT_FOUND, f"there is no decision {name}", name=name)
        return found

    def aliases(self, domain: str) -> list[router_pb2.Alias]:
        """What a domain may ask for, sorted: models that are in service, and routes to such."""
        now = self._clock.now()
        question = Question(admission_pb2.Admission(caller=admission_pb2.Caller(domain=domain)), router_pb2.RequestProfile(), now)
        found: dict[str, router_pb2.Alias] = {}
        for model in self._models.visible(domain):
            if lifecycle(model, question) is None:
                _prefer(found, _alias(model.alias, model.name, [model]), domain)
        for route in self._routes.visible(domain):
            targets = [known for target in route.targets if (known := self._models.get(target.model)) is not None]
            usable = [model for model in targets if may_see(domain, model.name, model.shared_with) and lifecycle(model, question) is None]
            if usable:
                _prefer(found, _alias(route.alias, route.name, usable), domain)
        return [found[alias] for alias in sorted(found)]


def _alias(alias: str, name: str, models: Sequence[registry_pb2.Model]) -> router_pb2.Alias:
    return router_pb2.Alias(
        alias=alias,
        owner=owner_of(name),
        create_time=models[0].create_time,
        capabilities=sorted(set.intersection(*(set(model.capabilities) for model in models))),
        context_window=max(model.context_window for model in models),
        max_output_tokens=max(model.max_output_tokens for model in models),
    )


def _prefer(found: dict[str, router_pb2.Alias], alias: router_pb2.Alias, domain: str) -> None:
    present = found.get(alias.alias)
    if present is None or alias.owner == domain or present.owner != domain:
        found[alias.alias] = alias
