"""Routing decisions and what came of them, in rows for people."""

from __future__ import annotations

import re

from llm_mesh.policy.v1 import ledger_pb2, ledger_pb2_grpc, usage_pb2
from llm_mesh.router.v1 import plan_pb2, router_pb2
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.nouns.names import reservation_name
from llm_mesh_cli.session import Session
from llm_mesh_cli.texts import amount, time_text
from llm_mesh_cli.visible import on_one_line

CANDIDATE_TITLES = ("MODEL", "PRIORITY", "SCORE", "DECISION")
ATTEMPT_TITLES = ("ATTEMPT", "MODEL", "ENDPOINT", "OUTCOME", "REASON", "FIELD", "CHARGED")
_DECISION = re.compile(r"[0-9a-f]{16}")
_SLASHES = 2
"""Of a reservation that is named with its place, such as `claims/triage/01m8pjdg0r8w`."""
_OUTCOME = "ATTEMPT_OUTCOME_"


async def question(session: Session, what: str, domain: str | None) -> router_pb2.ExplainDecisionRequest:
    """What is asked of the router about a decision, a request id or a reservation."""
    if "/routeDecisions/" in what:
        return router_pb2.ExplainDecisionRequest(name=what)
    if "/reservations/" in what or what.count("/") == _SLASHES:
        what = await reservation_name(session, what)
        ledger = ledger_pb2_grpc.LedgerServiceStub(session.channel("policy"))
        entry = (await ledger.GetLedgerEntry(ledger_pb2.GetLedgerEntryRequest(name=what))).entry
        if not entry.decision_id:
            raise CommandError(f"{what} came of no routing decision", Exit.NOT_FOUND)
        return router_pb2.ExplainDecisionRequest(name=f"{what.partition('/projects/')[0]}/routeDecisions/{entry.decision_id}")
    parent = await session.domain(domain)
    if _DECISION.fullmatch(what):
        return router_pb2.ExplainDecisionRequest(name=f"{parent}/routeDecisions/{what}")
    return router_pb2.ExplainDecisionRequest(name=f"{parent}/routeDecisions/-", request_id=what)


def _planned(plan: plan_pb2.Plan) -> list[plan_pb2.Attempt]:
    root = plan.root
    return [root.attempt] if root.HasField("attempt") else [child.attempt for child in root.failover.children]


def candidates(decision: router_pb2.ExplainDecisionResponse) -> list[tuple[str, ...]]:
    """Everything that was looked at, and what became of it."""
    order = {attempt.model: attempt.id for attempt in reversed(_planned(decision.plan))}
    return [_candidate(each, order) for each in decision.candidates]


def heading(decision: router_pb2.ExplainDecisionResponse) -> str:
    """Which decision it is, of whom."""
    request = f", request {decision.request_id}" if decision.request_id else ""
    return f"{decision.name}: {decision.alias}, {time_text(decision.create_time)}{request}, by {decision.principal}"


def nothing(decision: router_pb2.ExplainDecisionResponse) -> str:
    """What is said of a decision without a target."""
    domain = decision.name.partition("/routeDecisions/")[0]
    return (
        f"No target: {on_one_line(decision.alias)} leads to no model that {domain} has, has accepted or finds in domains/shared. "
        "`llm-mesh models list` shows the names that it may use."
    )


def _candidate(candidate: router_pb2.Candidate, order: dict[str, str]) -> tuple[str, ...]:
    why = candidate.note or candidate.excluded_by.replace("_", " ")
    outcome = f"excluded: {why}" if candidate.excluded_by else f"planned as {order.get(candidate.model, 'an attempt')}"
    return candidate.model, str(candidate.priority), f"{candidate.score:.3f}", outcome


def attempt(line: usage_pb2.ChargeLine) -> tuple[str, ...]:
    """How an attempt went, and what it was charged."""
    outcome = usage_pb2.AttemptOutcome.Name(line.usage.outcome).removeprefix(_OUTCOME).lower().replace("_", " ")
    usage = line.usage
    return usage.attempt_id, line.model, line.endpoint, outcome, usage.error_reason, on_one_line(usage.error_field), amount(line.charge)


def upstream(line: usage_pb2.ChargeLine) -> str:
    """What another mesh says that it charged for an attempt; empty where none was asked, or it does not say."""
    charge = line.usage.upstream
    if not line.usage.HasField("upstream"):
        return ""
    entry = f", {on_one_line(charge.reservation)}" if charge.reservation else ""
    replay = ", for a kept answer" if charge.replayed else ""
    return f"{line.usage.attempt_id}: {line.endpoint} charged this mesh {amount(charge.charge)}{replay}{entry}"


def refusal(entry: usage_pb2.LedgerEntry) -> str:
    """Why a request was refused before any attempt, in words; empty where it was not."""
    field = f" ({on_one_line(entry.refused_field)})" if entry.refused_field else ""
    return entry.refused_reason + field
