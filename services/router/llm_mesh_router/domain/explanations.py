"""Explains decisions to those who may know of them; to all others a decision that exists is like one that does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_mesh.router.v1 import errors_pb2, plan_pb2, router_pb2
from llm_mesh_router.domain.errors import RouterError
from llm_mesh_router.domain.resolution import UNKNOWN
from llm_mesh_runtime.context import Caller
from llm_mesh_runtime.errors import MeshError, invalid
from llm_mesh_runtime.resources import NamePattern

if TYPE_CHECKING:
    from llm_mesh_router.domain.decisions import Decisions
    from llm_mesh_router.domain.ports import DecisionStore, Permissions

_METHOD = "/llm_mesh.router.v1.RouterService/ExplainDecision"
_ACTION = "routeDecisions.get"
_DECISION = NamePattern("domains/{domain}/routeDecisions/{decision}")
_OF_REQUEST = "/routeDecisions/-"
_LONGEST_REQUEST = 128
_DENIED = "PERMISSION_DENIED"


class Explanations:
    """Finds decisions in memory and in the store."""

    def __init__(self, decisions: Decisions, store: DecisionStore, rights: Permissions) -> None:
        self._decisions = decisions
        self._store = store
        self._rights = rights

    async def explain(self, name: str, request_id: str, caller: Caller) -> router_pb2.ExplainDecisionResponse:
        """How a decision came about. DECISION_NOT_FOUND where there is none, or the caller may not know of it."""
        explanation = await self._explanation(name, request_id)
        if explanation is None:
            raise _not_found(name)
        if caller.kind == "service" or await self._allowed(explanation.name):
            return explanation
        if not caller.principal or caller.principal != explanation.principal:
            raise _not_found(name)
        return _for_the_requester(explanation)

    async def _explanation(self, name: str, request_id: str) -> router_pb2.ExplainDecisionResponse | None:
        if name.endswith(_OF_REQUEST):
            if not 0 < len(request_id) <= _LONGEST_REQUEST:
                raise invalid("request_id", f"1 to {_LONGEST_REQUEST} characters, with {name}")
            domain = name.removesuffix(_OF_REQUEST)
            decision = self._decisions.of_request(domain, request_id)
            return decision.explanation if decision is not None else await self._store.of_request(domain, request_id)
        if request_id:
            raise invalid("request_id", "only with domains/{domain}/routeDecisions/- as the name")
        domain_id, decision_id = _DECISION.parse(name)
        domain = f"domains/{domain_id}"
        decision = self._decisions.find(domain, decision_id)
        return decision.explanation if decision is not None else await self._store.find(domain, decision_id)

    async def _allowed(self, name: str) -> bool:
        try:
            await self._rights.demand(_METHOD, _ACTION, name)
        except MeshError as refusal:
            if refusal.code.name == _DENIED:
                return False
            raise
        return True


def _for_the_requester(explanation: router_pb2.ExplainDecisionResponse) -> router_pb2.ExplainDecisionResponse:
    """Without what only operators know: names of credentials, and models that the domain does not know of."""
    seen = [candidate for candidate in explanation.candidates if candidate.excluded_by != UNKNOWN]
    del explanation.candidates[:]
    explanation.candidates.extend(seen)
    for attempt in _attempts(explanation.plan.root):
        attempt.ClearField("credential")
    return explanation


def _attempts(root: plan_pb2.PlanNode) -> list[plan_pb2.Attempt]:
    """The router plans nothing but one attempt, or a failover of several."""
    return [root.attempt] if root.HasField("attempt") else [child.attempt for child in root.failover.children]


def _not_found(name: str) -> RouterError:
    return RouterError(errors_pb2.ERROR_REASON_DECISION_NOT_FOUND, f"there is no decision {name}", name=name)
