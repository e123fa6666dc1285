"""`llm-mesh explain`: why a request went where it went, or nowhere."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from llm_mesh.policy.v1 import ledger_pb2, ledger_pb2_grpc, usage_pb2
from llm_mesh.router.v1 import plan_pb2, router_pb2, router_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.paging import pages
from llm_mesh_cli.session import Session
from llm_mesh_cli.texts import amount, time_text

app = typer.Typer()
_DECISION = re.compile(r"[0-9a-f]{16}")
_OUTCOME = "ATTEMPT_OUTCOME_"
_STATE = "RESERVATION_STATE_"


@asks(app)
async def explain(
    session: Session,
    what: Annotated[
        str, typer.Argument(help="A decision (header x-llm-mesh-decision), a request id (x-request-id) or a reservation's name.")
    ],
    domain: Annotated[str | None, typer.Option("--domain", help="The domain of the request. Default: the caller's own.")] = None,
) -> None:
    """Show which models could have answered a request, what excluded them, and how the attempts went."""
    stub = router_pb2_grpc.RouterServiceStub(session.channel("router"))
    decision = await stub.ExplainDecision(await _question(session, what, domain))
    entries, note = await _entries(session, decision)
    if session.output.as_json:
        session.output.data({"decision": as_dict(decision), "entries": [as_dict(entry) for entry in entries]})
        return
    request = f", request {decision.request_id}" if decision.request_id else ""
    session.output.line(f"{decision.name}: {decision.alias}, {time_text(decision.create_time)}{request}, by {decision.principal}")
    order = {attempt.model: attempt.id for attempt in reversed(_planned(decision.plan))}
    session.output.table(("MODEL", "PRIORITY", "SCORE", "DECISION"), [_candidate(each, order) for each in decision.candidates])
    for entry in entries:
        session.output.line(f"\n{entry.name}: {_state(entry)}, {amount(entry.charged)} charged")
        session.output.table(("ATTEMPT", "MODEL", "OUTCOME", "REASON", "CHARGED"), [_attempt(line) for line in entry.lines])
    if note:
        session.output.line(f"\n{note}")


async def _question(session: Session, what: str, domain: str | None) -> router_pb2.ExplainDecisionRequest:
    if "/routeDecisions/" in what:
        return router_pb2.ExplainDecisionRequest(name=what)
    if "/reservations/" in what:
        ledger = ledger_pb2_grpc.LedgerServiceStub(session.channel("policy"))
        entry = (await ledger.GetLedgerEntry(ledger_pb2.GetLedgerEntryRequest(name=what))).entry
        if not entry.decision_id:
            raise CommandError(f"{what} came of no routing decision", Exit.NOT_FOUND)
        return router_pb2.ExplainDecisionRequest(name=f"{what.partition('/projects/')[0]}/routeDecisions/{entry.decision_id}")
    parent = await session.domain(domain)
    if _DECISION.fullmatch(what):
        return router_pb2.ExplainDecisionRequest(name=f"{parent}/routeDecisions/{what}")
    return router_pb2.ExplainDecisionRequest(name=f"{parent}/routeDecisions/-", request_id=what)


async def _entries(session: Session, decision: router_pb2.ExplainDecisionResponse) -> tuple[list[usage_pb2.LedgerEntry], str]:
    """The ledger's entries of the decision, and what is to be said where there are none."""
    import grpc  # noqa: PLC0415 (only what asks a mesh loads it)

    domain, _, decision_id = decision.name.partition("/routeDecisions/")
    request = ledger_pb2.ListLedgerEntriesRequest(parent=f"{domain}/projects/-", request_id=decision.request_id)
    ledger = ledger_pb2_grpc.LedgerServiceStub(session.channel("policy"))
    try:
        found = [entry async for answer in pages(ledger.ListLedgerEntries, request) for entry in answer.entries]
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.PERMISSION_DENIED:
            raise
        return [], "How the attempts went is shown to those who may list the ledger (reservations.list), such as developers."
    entries = [entry for entry in found if entry.decision_id == decision_id]
    return entries, "" if entries else "No attempt was made: nothing stands in the ledger."


def _planned(plan: plan_pb2.Plan) -> list[plan_pb2.Attempt]:
    root = plan.root
    return [root.attempt] if root.HasField("attempt") else [child.attempt for child in root.failover.children]


def _candidate(candidate: router_pb2.Candidate, order: dict[str, str]) -> tuple[str, ...]:
    said = candidate.note or candidate.excluded_by.replace("_", " ")
    outcome = f"excluded: {said}" if candidate.excluded_by else f"planned as {order.get(candidate.model, 'an attempt')}"
    return candidate.model, str(candidate.priority), f"{candidate.score:.3f}", outcome


def _attempt(line: usage_pb2.ChargeLine) -> tuple[str, ...]:
    outcome = usage_pb2.AttemptOutcome.Name(line.usage.outcome).removeprefix(_OUTCOME).lower().replace("_", " ")
    return line.usage.attempt_id, line.model, outcome, line.usage.error_reason, amount(line.charge)


def _state(entry: usage_pb2.LedgerEntry) -> str:
    return usage_pb2.ReservationState.Name(entry.state).removeprefix(_STATE).lower()
