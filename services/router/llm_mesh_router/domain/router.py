"""The router as its servicers see it: admissions in, plans out; routes kept, and shown."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh.router.v1 import plan_pb2, router_pb2
from llm_mesh_router.domain.decisions import Decisions
from llm_mesh_router.domain.eligibility import EligibilityRequest, lifecycle
from llm_mesh_router.domain.loads import Loads
from llm_mesh_router.domain.planner import Planner
from llm_mesh_router.domain.ranking import Ranking
from llm_mesh_router.domain.resolution import Resolution
from llm_mesh_runtime.clock import Clock
from llm_mesh_runtime.errors import invalid, invalid_seal
from llm_mesh_runtime.resources import domain_of
from llm_mesh_runtime.seals import Seals

_AUDIENCE = "router"
_MOST_LISTED = 1_000
_AT_ONCE = 100
"""Aliases that are looked at in one turn of the event loop."""
_ADMISSION: str = admission_pb2.Admission.DESCRIPTOR.full_name


class Router:
    """Plans by the admission alone: nothing else says whose request it is or what it must keep to."""

    def __init__(self, resolution: Resolution, ranking: Ranking, decisions: Decisions, seals: Seals, clock: Clock) -> None:
        self._loads = Loads()
        self._resolution = resolution
        self._ranking = ranking
        self._planner = Planner(resolution, ranking, self._loads, decisions)
        self._seals = seals
        self._clock = clock

    def plan(self, sealed: resources_pb2.Sealed, profile: router_pb2.RequestProfile, plan: plan_pb2.Plan, request_id: str = "") -> str:
        """Writes the plan of an admitted request, and answers the id of the decision."""
        now = self._clock.now()
        admission = admission_pb2.Admission.FromString(self._seals.opened(_AUDIENCE, _ADMISSION, sealed, what="admission"))
        expires = admission.expire_time
        if expires.seconds + expires.nanos / 1e9 <= now.timestamp():
            raise invalid_seal("admission, which has expired,")
        question = EligibilityRequest(admission, profile, now, request_id)
        if question.constraints.max_output_tokens <= 0 and admission.operation != "embed":
            raise invalid("admission.constraints.max_output_tokens", "must be over zero")
        return self._planner.plan(question, plan)

    def note(self, results: Iterable[router_pb2.AttemptResult]) -> None:
        """Attempts have ended."""
        now = self._clock.now()
        for result in results:
            self._ranking.note(result, now)

    def note_loads(self, loads: Iterable[router_pb2.EndpointLoad], changes: Iterable[router_pb2.CacheChanges]) -> None:
        """Engines are as busy as this, and their caches have changed so."""
        self._loads.note(loads, self._clock.now())
        self._loads.change(changes)

    def has_models(self) -> bool:
        """Whether the domain of some model may address it: it is in service there."""
        now, questions = self._clock.now(), dict[str, EligibilityRequest]()
        for model in self._resolution.models:
            domain = domain_of(model.name)
            if lifecycle(model, questions.get(domain) or questions.setdefault(domain, _question(domain, now))) is None:
                return True
        return False

    async def aliases(self, domain: str, after: str = "", most: int = _MOST_LISTED) -> list[router_pb2.Alias]:
        """What a domain may ask for, sorted: what leads to a model that is in service. As many as `most`, from behind `after` on."""
        question = _question(domain, self._clock.now())
        names = sorted(self._resolution.aliases(domain))
        aliases: list[router_pb2.Alias] = []
        for number, name in enumerate(names[bisect_right(names, after) :], start=1):
            alias = self._alias(name, question)
            if alias is not None:
                aliases.append(alias)
            if len(aliases) >= most:
                break
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)  # a domain may have thousands
        return aliases

    def _alias(self, alias: str, question: EligibilityRequest) -> router_pb2.Alias | None:
        """The alias, where a request for it could be planned."""
        meaning = self._resolution.find(alias, question.domain)
        if meaning is None:
            return None
        owner, route = meaning
        located = [self._resolution.located(target.model, question.domain).model for target in route.targets]
        models = [model for model in located if model is not None and lifecycle(model, question) is None]
        if not models:
            return None
        return router_pb2.Alias(
            alias=alias,
            owner=owner,
            create_time=models[0].create_time,
            capabilities=sorted(set.intersection(*(set(model.capabilities) for model in models))),
            context_window=max(model.context_window for model in models),
            max_output_tokens=max(model.max_output_tokens for model in models),
        )


def _question(domain: str, now: datetime) -> EligibilityRequest:
    """What a domain may address, apart from any request."""
    return EligibilityRequest(admission_pb2.Admission(caller=admission_pb2.Caller(domain=domain)), router_pb2.RequestProfile(), now)
